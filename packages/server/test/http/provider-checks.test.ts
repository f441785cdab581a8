/** Misconfigured providers are detected at start: in the log, at `/readyz`, and by the doctor. */

import { expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { examineServer, withVerdict } from '../support/doctor.ts'
import { startExternalIssuer } from '../support/external-issuer.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { login, submitCode } from '../support/sign-in.ts'
import { metadata, startProvider } from '../upstream/fake-provider.ts'
import { json } from '../upstream/misbehaving-server.ts'

async function start(env: Record<string, string>): Promise<TestApp> {
  const app = await startApp({ env: { RATE_LIMIT: 'off', ...env } })
  onTestFinished(() => app.stop())
  return app
}

const upstream = (UPSTREAM_ISSUER: string) => ({
  UPSTREAM_ISSUER,
  UPSTREAM_CLIENT_ID: 'client-1',
  UPSTREAM_API_URL: 'http://127.0.0.1:1',
})

async function warningsOf({ url }: TestApp): Promise<string[]> {
  const answer = (await (await fetch(`${url}/readyz`)).json()) as {
    readonly status: string
    readonly warnings?: readonly { readonly code: string }[]
  }
  expect(answer.status).toBe('ok')
  return (answer.warnings ?? []).map(({ code }) => code)
}

/** The lines of that text, once there is one. */
async function logged({ lines }: TestApp, text: string) {
  await expect.poll(() => lines.some((line) => line.includes(text))).toBe(true)
  return lines.filter((line) => line.includes(text)).map((line) => JSON.parse(line))
}

test('UPSTREAM_ISSUER that differs from the issuer in its metadata', {
  timeout: 240_000,
}, async () => {
  const provider = await startProvider()
  const path = '/.well-known/openid-configuration'
  provider.paths[path] = json({ ...metadata(provider.origin), issuer: 'https://other.example' })
  const app = await start(upstream(provider.origin))
  expect(await logged(app, 'identity provider names another issuer')).toMatchObject([
    { level: 'error', check: 'UPSTREAM_ISSUER', field: 'issuer' },
  ])
  expect(await warningsOf(app)).toEqual(['upstream_issuer_differs'])
  const said = withVerdict(await examineServer(app.url), 'warning').join('\n')
  expect(said).toMatch(/health: UPSTREAM_ISSUER is not what.*Copy the issuer/)
  provider.paths[path] = json(metadata(provider.origin))
  const { url, code } = await login(app.url)
  expect((await submitCode(url, code)).status).toBe(303)
  expect(await warningsOf(app)).toEqual([])
})

test('OAUTH_ISSUER that differs from the issuer in its metadata', async () => {
  const issuer = await startExternalIssuer()
  onTestFinished(() => issuer.stop())
  issuer.metadataIs({ issuer: 'https://other.example' })
  const app = await start({ OAUTH_ISSUER: issuer.url })
  expect(await logged(app, 'issuer metadata names another issuer')).toMatchObject([
    { level: 'error', check: 'OAUTH_ISSUER' },
  ])
  expect(await warningsOf(app)).toEqual(['oauth_issuer_differs'])
})

test.each([
  ['UPSTREAM_ISSUER', upstream('http://127.0.0.1:1'), 'identity provider not reached'],
  ['OAUTH_ISSUER', { OAUTH_ISSUER: 'http://127.0.0.1:1' }, 'issuer metadata not read'],
])('%s that is unavailable is logged, and so is its recovery', async (_name, env, text) => {
  const app = await start(env)
  expect(await logged(app, text)).toMatchObject([{ level: 'warn' }])
  expect(await warningsOf(app)).toEqual([])
})

test('a correct provider is requested once, and nothing is logged', async () => {
  const provider = await startProvider()
  const app = await start(upstream(provider.origin))
  await expect.poll(() => provider.count('/.well-known')).toBe(1)
  expect(await warningsOf(app)).toEqual([])
})

test('a wrong client secret, from the first failed sign-in to the next success', async () => {
  const provider = await startProvider()
  const app = await start(upstream(provider.origin))

  async function signIn(nonceOf: (nonce: string) => void = () => undefined) {
    const { url, code } = await login(app.url)
    const response = await submitCode(url, code)
    const parameters = new URL(response.headers.get('location') ?? '').searchParams
    nonceOf(parameters.get('nonce') ?? '')
    const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
    const search = new URLSearchParams({ code: 'c', state: parameters.get('state') ?? '' })
    return fetch(`${app.url}/callback?${search}`, { headers: { cookie } })
  }

  provider.paths['/token'] = json({ error: 'invalid_client' }, 401)
  expect((await signIn()).status).toBe(502)
  expect(await warningsOf(app)).toEqual(['upstream_client_refused'])
  const again = await signIn((nonce) => {
    const id_token = provider.sign({ ...provider.claims(), nonce })
    provider.paths['/token'] = json(provider.tokens({ id_token }))
  })
  expect(again.status).toBe(200)
  expect(await warningsOf(app)).toEqual([])
})

test('a wrong client secret during authorization: a page that refers to the operator, and no code', async () => {
  const provider = await startProvider()
  const app = await start({ ...upstream(provider.origin), LOGIN: 'at-authorize' })
  provider.paths['/token'] = json({ error: 'invalid_client' }, 401)
  // The provider signs in every user.
  provider.paths['/authorize'] = (res, { url }) => {
    const parameters = new URL(url, provider.origin).searchParams
    const back = new URL(parameters.get('redirect_uri') ?? '')
    back.search = String(new URLSearchParams({ code: 'c', state: parameters.get('state') ?? '' }))
    return res.writeHead(303, { location: back.href }).end()
  }
  const client = await createOAuthClient(app.url)
  const { browser, decide } = await client.openConsent()
  const failed = await decide('allow')
  expect([failed.status, failed.url.pathname.split('/')[1]]).toEqual([502, 'consent'])
  expect(failed.text).toContain('does not accept this server. Only the operator of')
  expect(failed.text).not.toContain('cancelled')
  const { url } = await browser.open(failed.url, { decision: 'deny' })
  expect(url.searchParams.has('code')).toBe(false)
})
