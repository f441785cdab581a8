/** Dynamic client registration (RFC 7591): registers the doctor as a client for later checks. */

import { type Finding, ok, skipped, wrong } from '../findings.ts'
import { objectIn } from '../http.ts'
import { needsServer } from '../needs.ts'
import { failureIn, REDIRECT_URI, register } from '../oauth.ts'
import type { Check } from '../visit.ts'

export const registration: Check = {
  id: 'registration',
  title: 'Registering',
  run: needsServer(async (visit, server): Promise<readonly Finding[]> => {
    if (server.registration_endpoint === undefined) {
      return [skipped('Clients cannot register here.')]
    }
    const answer = await register(visit, server, [REDIRECT_URI])
    const { client_id: id } = objectIn(answer)
    if (answer.status !== 201 || typeof id !== 'string') {
      return [
        wrong(
          `A client cannot register: ${failureIn(answer)}.`,
          'Forward POST /register to the nodes, with its body. With 429 wait a minute; where many clients share an address, set TRUSTED_PROXIES.',
        ),
      ]
    }
    visit.facts.client = { id, redirectUri: REDIRECT_URI }
    return [ok('A client can register. Unused registrations expire.')]
  }),
}
