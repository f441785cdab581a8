/**
 * `/token`: codes work once, against replay, and only with the verifier (RFC 7636, 4.6; OAuth 2.1,
 * 4.1.3).
 */

import { authorizeClient, type GivenCode } from '../authorize-client.ts'
import { type Finding, skipped, whether, wrong } from '../findings.ts'
import { objectIn } from '../http.ts'
import { needsClient } from '../needs.ts'
import { exchange, failureIn } from '../oauth.ts'
import type { Check, ServerMetadata } from '../visit.ts'

export const codes: Check = {
  id: 'codes',
  title: 'Authorization codes',
  run: needsClient(async (visit, server, client) => {
    const findings: Finding[] = []
    for (const look of [otherVerifier, otherRedirect, twice]) {
      const outcome = await authorizeClient(visit, server, client)
      if (!('given' in outcome))
        return [skipped(`There is no code to try with: ${outcome.failure}`)]
      findings.push(await look(server, outcome.given))
    }
    return findings
  }),
}

async function refuses(server: ServerMetadata, given: GivenCode, what: string): Promise<Finding> {
  const answer = await exchange(server, given.client, given)
  return whether(
    answer.status === 400 && objectIn(answer).error === 'invalid_grant',
    `${what} is refused.`,
    wrong(`${what} is answered with ${failureIn(answer)}.`, 'Check what serves /token.'),
  )
}

function otherVerifier(server: ServerMetadata, given: GivenCode): Promise<Finding> {
  return refuses(server, { ...given, verifier: 'x'.repeat(43) }, 'A code with another verifier')
}

function otherRedirect(server: ServerMetadata, given: GivenCode): Promise<Finding> {
  const client = { ...given.client, redirectUri: `${given.client.redirectUri}/other` }
  return refuses(server, { ...given, client }, 'A code with another redirect URI')
}

/** Replay: the second exchange revokes the tokens of the first (RFC 6749, 4.1.2). */
async function twice(server: ServerMetadata, given: GivenCode): Promise<Finding> {
  const first = await exchange(server, given.client, given)
  if (first.status !== 200) return skipped(`A code could not be used once: ${failureIn(first)}.`)
  return refuses(server, given, 'A code that was used')
}
