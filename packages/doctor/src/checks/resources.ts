/** Protected resource metadata (RFC 9728): at the derived URLs, each with its own `resource`. */

import { ENDPOINTS, type Endpoint, wellKnown } from '../addresses.ts'
import { type Finding, ok, skipped, wrong } from '../findings.ts'
import { ask, objectIn } from '../http.ts'
import type { Check, Visit } from '../visit.ts'

export const resources: Check = {
  id: 'resources',
  title: 'Metadata of the resources',
  run: (visit) => Promise.all(ENDPOINTS.map((path) => look(visit, path))),
}

async function look({ base, facts }: Visit, path: Endpoint): Promise<Finding> {
  const wanted = base + path
  const address = wellKnown('oauth-protected-resource', wanted)
  const answer = await ask(address)
  if (answer.status === 404 && path !== '/mcp') return skipped(`${path} has none (404).`)
  const { resource, authorization_servers: servers } = objectIn(answer)
  if (answer.status !== 200 || typeof resource !== 'string') {
    return wrong(
      `${address} answers ${answer.status}, and no metadata.`,
      mendFor(base) ??
        'Forward everything below /.well-known/ to the nodes; a location for certificates (ACME) may take /.well-known/acme-challenge/ alone.',
    )
  }
  if (path === '/mcp' && Array.isArray(servers)) facts.issuer = servers.map(String)[0]
  if (resource === wanted) return ok(`${address} names ${wanted}.`)
  return wrong(
    `${address} names ${resource}, and not ${wanted}: clients refuse that.`,
    mendFor(base) ?? fixOf(base, resource),
  )
}

/** With a path in the URL, clients look for metadata at the root of the host. */
function mendFor(base: string): string | undefined {
  const { pathname, host } = new URL(base)
  if (pathname === '/') return undefined
  const places = `/.well-known/oauth-protected-resource${pathname}/… and /.well-known/oauth-authorization-server${pathname}`
  return `Set PUBLIC_URL=${base} on every node, and forward ${places} to the nodes; or give the server a host name of its own instead of the path ${pathname} of ${host}.`
}

function fixOf(base: string, resource: string): string {
  const { origin, host } = new URL(base)
  const set = `Set PUBLIC_URL=${origin} on every node, and restart them.`
  const isSameHost = URL.canParse(resource) && new URL(resource).host === host
  return isSameHost ? `${set} X-Forwarded-Proto is ignored.` : set
}
