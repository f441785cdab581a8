/** `/authorize`: PKCE, the exact redirect URI, and the issuer in responses. */

import { type Finding, ok, whether, wrong } from '../findings.ts'
import { needsClient } from '../needs.ts'
import { authorizeUrl, type Led, open } from '../oauth.ts'
import type { Check, RegisteredClient, ServerMetadata, Visit } from '../visit.ts'

type Changed = Readonly<Record<string, string | undefined>>

export const authorizeRequests: Check = {
  id: 'authorize',
  title: 'Requests for authorization',
  run: needsClient(async (visit, server, client) => {
    const ask = (changed: Changed) => tryRequest(visit, server, client, changed)
    const bare = await ask({ code_challenge: undefined, code_challenge_method: undefined })
    const plain = await ask({ code_challenge_method: 'plain' })
    const otherPath = await ask({ redirect_uri: `${client.redirectUri}/other` })
    const otherPort = await ask({ redirect_uri: client.redirectUri.replace(/:\d+/, ':47112') })
    return [
      refused(bare, 'A request without PKCE'),
      refused(plain, 'PKCE without a hash (plain)'),
      notSent(otherPath),
      whether(
        otherPort.to === 'person',
        'A loopback redirect URI is accepted with any port.',
        wrong(
          'A loopback redirect URI is accepted with the registered port only, but native apps use any port.',
          'RFC 8252, 7.3. Check what serves /authorize.',
        ),
      ),
      named(bare, server),
    ]
  }),
}

function tryRequest(
  visit: Visit,
  server: ServerMetadata,
  client: RegisteredClient,
  changed: Changed,
): Promise<Led> {
  return open(
    authorizeUrl(visit, server, client, changed),
    changed.redirect_uri ?? client.redirectUri,
  )
}

function refused(led: Led, what: string): Finding {
  const isRefused = led.to === 'error' || (led.to === 'client' && led.answer.has('error'))
  const mend = 'Turn it off at the authorization server: OAuth 2.1 requires S256.'
  return whether(isRefused, `${what} is refused.`, wrong(`${what} is served.`, mend))
}

/** RFC 6749, 4.1.2.1: shows an error page instead of redirecting (open redirector). */
function notSent({ to }: Led): Finding {
  return whether(
    to === 'error',
    'An unregistered redirect URI is refused.',
    wrong('The browser is redirected to an unregistered redirect URI.', 'Compare them exactly.'),
  )
}

/** RFC 9207, 2: `iss` prevents mix-up attacks. */
function named(led: Led, { issuer }: ServerMetadata): Finding {
  const iss = led.to === 'client' ? led.answer.get('iss') : undefined
  if (iss === undefined) return ok('Errors are shown to the user.')
  return whether(
    iss === issuer,
    'Responses name the issuer.',
    wrong(
      `Responses name ${iss ?? 'no issuer'}, and not ${issuer}.`,
      'Set PUBLIC_URL, on every node the same.',
    ),
  )
}
