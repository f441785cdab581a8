/**
 * Token refresh: clients refresh in parallel and lose responses; each refresh must still yield a
 * valid token.
 */

import { type Finding, ok, skipped, wrong } from '../findings.ts'
import { objectIn, postJson } from '../http.ts'
import { PING } from '../mcp.ts'
import { needsClient } from '../needs.ts'
import { failureIn, refresh } from '../oauth.ts'
import type { Check, RegisteredClient, ServerMetadata, Visit } from '../visit.ts'

const AT_ONCE = 6

export const refreshing: Check = {
  id: 'refreshing',
  title: 'Refreshing',
  run: needsClient(async (visit, server, client) => {
    const { refreshToken } = visit.facts
    if (refreshToken === undefined) return [skipped('There is no refresh token.')]
    const first = await refresh(server, client, refreshToken)
    if (first.status !== 200) {
      const mend = 'On several nodes: one Redis for all. See the log for the reason.'
      return [wrong(`The refresh token is refused: ${failureIn(first)}.`, mend)]
    }
    keep(visit, objectIn(first))
    return [ok('A refresh returns new tokens.'), await parallel(visit, server, client)]
  }),
}

async function parallel(
  visit: Visit,
  server: ServerMetadata,
  client: RegisteredClient,
): Promise<Finding> {
  const shared = visit.facts.refreshToken ?? ''
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, () => refresh(server, client, shared)),
  )
  const given = answers.filter(({ status }) => status === 200).map(objectIn)
  const refused = answers.find(({ status }) => status !== 200)
  const statuses = await Promise.all(given.map(({ access_token }) => tryToken(visit, access_token)))
  const good = statuses.filter((status) => status !== 401).length
  const last = given.at(-1)
  if (last !== undefined) keep(visit, last)
  if (good === AT_ONCE) return ok(`${AT_ONCE} concurrent refreshes all return a valid token.`)
  const why = refused === undefined ? 'tokens that are refused' : failureIn(refused)
  return wrong(
    `${AT_ONCE} concurrent refreshes return ${good} valid tokens (${why}): clients that refresh in parallel lose their sign-in.`,
    'Set REFRESH_GRACE=60. On several nodes: one Redis for all, and the same JWT_SECRET.',
  )
}

/** The status of a request with the token: 401 if the token is invalid. */
async function tryToken({ base }: Visit, token: unknown): Promise<number> {
  const { status } = await postJson(`${base}/mcp`, PING, { authorization: `Bearer ${token}` })
  return status
}

function keep(
  { facts }: Visit,
  { access_token, refresh_token }: Readonly<Record<string, unknown>>,
) {
  if (typeof access_token === 'string') facts.accessToken = access_token
  if (typeof refresh_token === 'string') facts.refreshToken = refresh_token
}
