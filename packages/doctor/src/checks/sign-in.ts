/** Authorizes a client, from the consent page to the tokens. */

import { authorizeByPerson, authorizeClient, type GivenCode } from '../authorize-client.ts'
import { type Finding, ok, skipped, whether, wrong } from '../findings.ts'
import { objectIn } from '../http.ts'
import { needsClient } from '../needs.ts'
import { exchange, failureIn } from '../oauth.ts'
import type { Check, ServerMetadata, Visit } from '../visit.ts'

export const signIn: Check = {
  id: 'sign-in',
  title: 'Authorizing a client',
  run: needsClient(async (visit, server, client) => {
    let outcome = await authorizeClient(visit, server, client)
    if ('failure' in outcome && outcome.needsPerson) {
      if (!visit.interactive) {
        return [skipped(`${outcome.failure} With --interactive the doctor waits for that.`)]
      }
      outcome = await authorizeByPerson(visit, server, client)
    }
    if ('given' in outcome) return useCode(visit, server, outcome.given)
    return [
      wrong(
        `${outcome.failure} Clients fail at this step.`,
        outcome.mend ??
          'The cookies of the page must come back to the same address: no rewriting of cookies or paths at the proxy. On several nodes: one Redis and one ENCRYPTION_KEY.',
      ),
    ]
  }),
}

async function useCode(
  { facts }: Visit,
  server: ServerMetadata,
  given: GivenCode,
): Promise<readonly Finding[]> {
  const answer = await exchange(server, given.client, given)
  const { access_token: access, refresh_token: refresh, expires_in: seconds } = objectIn(answer)
  const named = whether(
    given.iss === server.issuer,
    'The consent page was answered, and the response has the code and its issuer.',
    wrong(
      `The response with the code names the issuer ${given.iss ?? 'not at all'}.`,
      'Set PUBLIC_URL, on every node the same.',
    ),
  )
  if (answer.status !== 200 || typeof access !== 'string') {
    return [
      named,
      wrong(
        `The code is not exchanged for a token: ${failureIn(answer)}.`,
        'On several nodes: one Redis for all, and the same JWT_SECRET.',
      ),
    ]
  }
  facts.accessToken = access
  if (typeof refresh === 'string') facts.refreshToken = refresh
  return [
    named,
    ok(
      `The code is exchanged for an access token, valid for ${Math.round(Number(seconds) / 60)} minutes.`,
    ),
  ]
}
