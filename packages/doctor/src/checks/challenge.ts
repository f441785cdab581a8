/** The 401 challenge: how clients discover that they must authorize, and where (RFC 9728, 5.1). */

import { ENDPOINTS, type Endpoint, wellKnown } from '../addresses.ts'
import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { type Answer, freshFetch, postJson } from '../http.ts'
import { PING } from '../mcp.ts'
import type { Check, Visit } from '../visit.ts'

export const challenge: Check = {
  id: 'challenge',
  title: 'The challenge (401)',
  async run(visit) {
    const findings: Finding[] = []
    for (const path of ENDPOINTS) findings.push(await look(visit, path))
    return [...findings, await keepsTokens(visit)]
  },
}

/** Detects buffering: a buffered stream does not even start. */
const BEGINS_WITHIN_MS = 5000

type Refusal = Pick<Answer, 'status' | 'headers'>

/** The response to a request without a token. */
async function knockAt(base: string, path: Endpoint): Promise<Refusal> {
  if (path !== '/sse') return postJson(base + path, PING)
  const leaving = new AbortController()
  const timer = setTimeout(() => leaving.abort(), BEGINS_WITHIN_MS)
  try {
    const headers = { accept: 'text/event-stream' }
    return await freshFetch(base + path, { headers, signal: leaving.signal })
  } finally {
    clearTimeout(timer)
    leaving.abort()
  }
}

async function look(visit: Visit, path: Endpoint): Promise<Finding> {
  const answer = await knockAt(visit.base, path).catch(() => undefined)
  if (answer === undefined) return skipped(`${path} does not answer; see “Streams”.`)
  const { status, headers } = answer
  if (path === '/mcp') visit.facts.mcpIsGuarded = status === 401
  if (status === 404 || status === 405) return skipped(`${path} is not there (${status}).`)
  if (status !== 401) return isOpen(visit, path)
  const given = headers.get('www-authenticate')
  if (given === null) {
    return wrong(
      `${path} answers 401 without WWW-Authenticate: a proxy removes it, and clients cannot discover where to sign in.`,
      'Keep the header in responses: nginx without `proxy_hide_header WWW-Authenticate` and without an error_page for 401; a gateway with its own authentication must exclude this host.',
    )
  }
  const expected = wellKnown('oauth-protected-resource', visit.base + path)
  const [, named] = /resource_metadata="([^"]*)"/.exec(given) ?? []
  if (named === expected) return ok(`${path} sends callers without a token to ${expected}.`)
  return wrong(
    `${path} sends clients to ${named ?? 'nowhere'}; it should be ${expected}.`,
    `Set PUBLIC_URL=${visit.base}, the address at which clients reach the server.`,
  )
}

function isOpen({ base }: Visit, path: Endpoint): Finding {
  const serves = `${path} serves callers without a token`
  if (path === '/http') return wrong(`${serves}.`, 'Something else answers: check the proxy.')
  if (new URL(base).protocol === 'http:') return ok(`${serves} (MCP_AUTH=optional).`)
  return warning(
    `${serves}: many clients then never offer to sign in.`,
    'Set MCP_AUTH=required, unless everybody who reaches the server may use it.',
  )
}

/** RFC 6750, 3.1: `invalid_token` is only for requests with a token. */
async function keepsTokens({ base }: Visit): Promise<Finding> {
  const url = `${base}/mcp`
  const { status, headers } = await postJson(url, PING, { authorization: 'Bearer not-a-token' })
  if (/error="?invalid_token/.test(headers.get('www-authenticate') ?? '')) {
    return ok('An invalid token is refused as such.')
  }
  if (status === 401 && headers.get('www-authenticate') === null) {
    return skipped('Without WWW-Authenticate, the check cannot see whether Authorization arrives.')
  }
  return wrong(
    'The Authorization header does not reach the server: an invalid token is treated like a missing one.',
    'Let the proxy pass it on: nginx without `proxy_set_header Authorization ""`; Apache with `CGIPassAuth On` or mod_proxy; a gateway must not put its own in its place.',
  )
}
