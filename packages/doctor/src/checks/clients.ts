/** The redirect URIs of well-known clients: whether they can be registered and used. */

import { isLoopback } from '../addresses.ts'
import type { ClientProfile } from '../client-profiles.ts'
import { type Finding, ok, warning, wrong } from '../findings.ts'
import { objectIn } from '../http.ts'
import { needsServer } from '../needs.ts'
import { authorizeUrl, failureIn, open, register } from '../oauth.ts'
import type { Check, ServerMetadata, Visit } from '../visit.ts'

export const clients: Check = {
  id: 'clients',
  title: 'Redirect URIs of well-known clients',
  run: needsServer(async (visit, server) => {
    if (server.registration_endpoint === undefined) {
      return [
        warning(
          'Clients cannot register here, so these were not tested.',
          'List them in OAUTH_CLIENTS, or allow registration.',
        ),
      ]
    }
    const findings: Finding[] = []
    for (const profile of visit.profiles) findings.push(await tryProfile(visit, server, profile))
    return findings
  }),
}

async function tryProfile(
  visit: Visit,
  server: ServerMetadata,
  profile: ClientProfile,
): Promise<Finding> {
  const { title, redirectUris, isHosted } = profile
  if (isHosted && visit.areNamed && (isLoopback(visit.base) || !visit.base.startsWith('https:'))) {
    return wrong(
      `${title} calls from the internet: it cannot reach ${visit.base}.`,
      'Put the server behind a public https address, or a tunnel, and set PUBLIC_URL to it.',
    )
  }
  const answer = await register(visit, server, redirectUris)
  const { client_id: id } = objectIn(answer)
  if (answer.status !== 201 || typeof id !== 'string') {
    return wrong(
      `The redirect URIs of ${title} cannot be registered (${redirectUris.join(', ')}): ${failureIn(answer)}.`,
      'OAUTH_REDIRECT_SCHEMES allows custom schemes; https and loopback addresses always are. With 429 wait a minute.',
    )
  }
  const redirectUri = profile.comesWith ?? redirectUris[0] ?? ''
  const { to, page } = await open(authorizeUrl(visit, server, { id, redirectUri }), redirectUri)
  if (to === 'person')
    return ok(
      `The redirect URIs of ${title} can be registered, and ${redirectUri} is redirected to. The client itself was not tested.`,
    )
  return wrong(
    `The redirect URIs of ${title} can be registered, but ${redirectUri} is not redirected to: the page answers ${page.status}.`,
    'Loopback addresses go with any port (RFC 8252, 7.3). If some requests work and others do not, see “Nodes behind one address”.',
  )
}
