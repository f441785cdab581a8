/**
 * Token revocation (RFC 7009): immediate, on every node. Runs last, since it revokes the doctor's
 * token.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { type Finding, ok, skipped, wrong } from '../findings.ts'
import { manyTimes, objectIn, postJson } from '../http.ts'
import { authorization, PING } from '../mcp.ts'
import { needsClient } from '../needs.ts'
import { failureIn, postForm } from '../oauth.ts'
import type { Check, RegisteredClient, ServerMetadata, Visit } from '../visit.ts'

const TIMES = 12
const SOON_MS = 1000

export const revocation: Check = {
  id: 'revocation',
  title: 'Token revocation',
  run: needsClient(async (visit, server, client) => {
    // A token from the command line has no refresh token, and is not revoked.
    const { refreshToken: token, accessToken } = visit.facts
    if (token === undefined || accessToken === undefined) {
      return [skipped('The doctor got no token of its own.')]
    }
    const before = await isActive(server, client, accessToken)
    const answer = await postForm(server.revocation_endpoint, { token, client_id: client.id })
    if (answer.status !== 200) {
      const mend = 'Forward POST /revoke to the nodes.'
      return [wrong(`Tokens cannot be revoked: ${failureIn(answer)}.`, mend)]
    }
    const gone = await isGone(visit)
    return [gone, introspected(before, await isActive(server, client, accessToken))]
  }),
}

async function isGone(visit: Visit): Promise<Finding> {
  await delay(SOON_MS)
  const answers = await manyTimes(TIMES, () =>
    postJson(`${visit.base}/mcp`, PING, authorization(visit)),
  )
  const served = answers.filter(({ status }) => status !== 401).length
  if (served === 0) return ok(`A second after its revocation the token is refused by all nodes.`)
  return wrong(
    `A second after its revocation the token is still accepted by ${served} of ${TIMES} requests.`,
    'Let all nodes use one Redis; no proxy may cache responses or decisions by token.',
  )
}

/** Token introspection (RFC 7662); undefined if unavailable. */
async function isActive(
  { introspection_endpoint: endpoint }: ServerMetadata,
  { id }: RegisteredClient,
  token: string,
): Promise<boolean | undefined> {
  if (endpoint === undefined) return undefined
  const { active } = objectIn(await postForm(endpoint, { token, client_id: id }))
  return typeof active === 'boolean' ? active : undefined
}

function introspected(before: boolean | undefined, after: boolean | undefined): Finding {
  if (before === undefined || after === undefined) return skipped('Introspection is not available.')
  if (before && !after)
    return ok('Introspection reports the token active before its revocation, and inactive after.')
  return wrong(
    `Introspection reports the token ${before ? 'active' : 'inactive'} before its revocation, and ${after ? 'active' : 'inactive'} after.`,
    'Let all nodes use one Redis.',
  )
}
