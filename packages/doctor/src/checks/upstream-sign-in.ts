/** Upstream sign-in with the tool `login`: the link, the page, the provider, and the return. */

import { setTimeout as delay } from 'node:timers/promises'
import { createBrowser, headingOf } from '../../../server/src/testing/form-browser.ts'
import { DEMO_FORM, isDemoProvider, PERSON_MS } from '../authorize-client.ts'
import { type Finding, ok, skipped, wrong } from '../findings.ts'
import { objectIn, postJson } from '../http.ts'
import { authorization, modernRequest } from '../mcp.ts'
import { refusalOf } from '../provider-refusal.ts'
import { fetchWithinReach } from '../reach.ts'
import type { Check, Visit } from '../visit.ts'

const LOOK_EVERY_MS = 2000

export const upstreamSignIn: Check = {
  id: 'upstream-sign-in',
  title: 'Signing in upstream',
  async run(visit): Promise<readonly Finding[]> {
    const { facts, base } = visit
    if (facts.refreshToken === undefined) {
      return [skipped('The doctor got no token of its own, and signs nobody in with another.')]
    }
    const has = (name: string) => facts.toolNames?.includes(name) === true
    if (!has('login') || !has('session')) return [skipped('There is no tool `login`.')]
    const { state, upstreams } = await call(visit, 'session')
    const further = namesIn(upstreams).slice(1)
    const first =
      state === 'authenticated'
        ? ok('The user who authorizes the client is signed in.')
        : await signInFirst(visit, base)
    const others: Finding[] = []
    for (const name of further) others.push(await reach(visit, name))
    return [first, ...others]
  },
}

/** The upstreams with a sign-in, as the tool `session` lists them, in order. */
function namesIn(upstreams: unknown): readonly string[] {
  if (!Array.isArray(upstreams)) return []
  const names = upstreams.map((each: { upstream?: unknown } | null) => each?.upstream)
  return names.filter((name) => typeof name === 'string')
}

async function signInFirst(visit: Visit, base: string): Promise<Finding> {
  const { url, code } = await call(visit, 'login')
  if (typeof url !== 'string' || typeof code !== 'string') {
    return wrong('`login` gives no link.', 'Look at the log of the server.')
  }
  if (!url.startsWith(`${new URL(base).origin}/`)) {
    const mend = `Set PUBLIC_URL=${new URL(base).origin}, on every node the same.`
    return wrong(`The link of \`login\` leads to ${new URL(url).origin}.`, mend)
  }
  return follow(visit, { url, code })
}

/** Follows an additional upstream's link up to its page; does not sign in there. */
async function reach(visit: Visit, upstream: string): Promise<Finding> {
  const { url, code } = await call(visit, 'login', { upstream })
  if (typeof url !== 'string' || typeof code !== 'string') {
    return wrong(`\`login\` gives no link for ${upstream}.`, 'Look at the log of the server.')
  }
  const browser = createBrowser(undefined, fetchWithinReach(visit.base))
  const ours = await browser.open(url)
  const next = await browser.open(ours.url, { code }).catch(() => undefined)
  const where = next?.url.host ?? 'its identity provider'
  if (next === undefined)
    return skipped(`The link to ${upstream} leads to a host that the doctor cannot reach.`)
  if (next.url.origin !== ours.url.origin) {
    return refusalOf(next) ?? ok(`The link to ${upstream} leads to ${where}.`)
  }
  if (next.url.pathname.includes('/key/')) return ok(`People paste keys for ${upstream}.`)
  const prefix = `UPSTREAM_${upstream.toUpperCase().replaceAll('-', '_')}_`
  return wrong(
    `The page of the link to ${upstream} answers ${next.status} “${headingOf(next)}”.`,
    `Look at its identity provider (${prefix}ISSUER, ${prefix}CLIENT_ID, its redirect URI /callback/${upstream}) and at the log.`,
  )
}

async function follow(
  visit: Visit,
  link: { readonly url: string; readonly code: string },
): Promise<Finding> {
  const browser = createBrowser(undefined, fetchWithinReach(visit.base))
  const ours = await browser.open(link.url)
  const provider = await browser.open(ours.url, { code: link.code }).catch(() => undefined)
  if (provider !== undefined && isDemoProvider(provider)) {
    const end = await browser.open(provider.url, DEMO_FORM)
    if (await isSignedIn(visit))
      return ok('Ada signs in at the demo provider, and is recognized afterwards.')
    return wrong(
      `The sign-in ends with ${end.status} “${headingOf(end)}”, and nobody is signed in.`,
      'Cookies and /callback must reach the nodes unchanged; on several nodes: one Redis, one ENCRYPTION_KEY.',
    )
  }
  const isStillOurs = provider?.url.origin === ours.url.origin
  if (isStillOurs && /^\/(?:connect|callback)\b/.test(provider.url.pathname)) {
    return wrong(
      `The page of the link answers ${provider.status} “${headingOf(provider)}”.`,
      'Look at the identity provider (UPSTREAM_ISSUER, UPSTREAM_CLIENT_ID, its redirect URI) and at the log; on several nodes: one Redis, one ENCRYPTION_KEY.',
    )
  }
  const refusal = provider && !isStillOurs ? refusalOf(provider) : undefined
  if (refusal !== undefined) return refusal
  const where = provider?.url.host ?? 'the identity provider'
  if (!visit.interactive) {
    return skipped(
      `The sign-in leads to ${where}, where a person has to sign in; with --interactive the doctor waits for that.`,
    )
  }
  return waitForPerson(visit)
}

/** Uses a new link: the previous one has been used. */
async function waitForPerson(visit: Visit): Promise<Finding> {
  const { url, code } = await call(visit, 'login')
  visit.say(`Open this page, and sign in; the code is ${code}:\n\n${url}\n`)
  const giveUpAt = performance.now() + PERSON_MS
  while (performance.now() < giveUpAt) {
    if (await isSignedIn(visit)) return ok('A person signed in, and is recognized afterwards.')
    await delay(LOOK_EVERY_MS)
  }
  return wrong(
    'Nobody was signed in after five minutes.',
    'Register PUBLIC_URL/callback as a redirect URI at the identity provider; see the log of the server.',
  )
}

async function isSignedIn(visit: Visit): Promise<boolean> {
  return (await call(visit, 'session')).state === 'authenticated'
}

async function call(
  visit: Visit,
  name: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { headers, body } = modernRequest('tools/call', { name, arguments: args })
  const answer = await postJson(`${visit.base}/mcp`, body, {
    ...authorization(visit),
    ...headers,
    'mcp-name': name,
  })
  const result = objectIn({ text: lastData(answer.text) }).result as Record<string, unknown>
  return (result?.structuredContent as Record<string, unknown>) ?? {}
}

/** The body as JSON, or the data of the last event of a stream. */
function lastData(text: string): string {
  return text.startsWith('{')
    ? text
    : (text
        .match(/^data: \{.*$/gm)
        ?.at(-1)
        ?.slice(6) ?? '')
}
