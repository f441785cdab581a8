/** Unsafe redirect URIs: registering one must fail. */

import { ok, skipped, wrong } from '../findings.ts'
import { needsServer } from '../needs.ts'
import { register } from '../oauth.ts'
import type { Check } from '../visit.ts'

const EVIL = [
  'http://client.example/callback',
  'javascript:alert(1)',
  'https://client.example/callback#fragment',
]

export const evilRedirects: Check = {
  id: 'evil-redirects',
  title: 'Redirect URIs that must be refused',
  run: needsServer(async (visit, server) => {
    if (server.registration_endpoint === undefined) return [skipped('Nothing can be registered.')]
    const answers = await Promise.all(EVIL.map((uri) => register(visit, server, [uri])))
    return EVIL.map((uri, index) => {
      const status = answers[index]?.status
      if (status === 400) return ok(`${uri} is refused.`)
      if (status === 429) return skipped(`${uri} was not checked: too many registrations (429).`)
      return wrong(
        `${uri} can be registered (${status}): codes could be sent there.`,
        'Forbid it in src/auth/redirect-uris.ts, or check what serves /register.',
      )
    })
  }),
}
