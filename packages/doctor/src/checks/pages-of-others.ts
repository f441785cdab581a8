/** CORS: whether clients in browsers can sign in (Fetch Standard, "CORS protocol"). */

import { wellKnown } from '../addresses.ts'
import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { ask } from '../http.ts'
import type { Check, Visit } from '../visit.ts'

const PAGE = 'https://inspector.example'

export const pagesOfOthers: Check = {
  id: 'cors',
  title: 'Clients in browsers',
  async run(visit) {
    const { base, facts, profiles } = visit
    const open = [
      wellKnown('oauth-protected-resource', `${base}/mcp`),
      ...[facts.builtIn?.token_endpoint, facts.builtIn?.registration_endpoint],
    ].filter((address) => address !== undefined)
    const origins = profiles.flatMap(({ origin }) => origin ?? [])
    return Promise.all([
      ...open.map((address) => mayRead(address)),
      ...origins.map((origin) => mayCall(visit, origin)),
    ])
  },
}

function preflight(address: string, origin: string) {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type, mcp-protocol-version',
  }
  return ask(address, { method: 'OPTIONS', headers })
}

async function mayRead(address: string): Promise<Finding> {
  const { headers, status } = await preflight(address, PAGE)
  const allowed = headers.get('access-control-allow-origin')
  const { pathname } = new URL(address)
  if (allowed === '*' || allowed === PAGE) return ok(`Pages may call ${pathname}.`)
  if (allowed?.includes(',')) {
    return wrong(
      `${pathname} names the allowed origin twice (${allowed}): browsers refuse that.`,
      'The server sends these headers itself: remove `add_header Access-Control-…` from the proxy.',
    )
  }
  return warning(
    `Pages may not call ${pathname} (${status}): clients in browsers cannot sign in.`,
    'Forward OPTIONS to the nodes, and keep their Access-Control headers.',
  )
}

/** The endpoint itself allows only the configured origins. */
async function mayCall({ base, areNamed }: Visit, origin: string): Promise<Finding> {
  const { headers } = await preflight(`${base}/mcp`, origin)
  if (headers.get('access-control-allow-origin') === origin) return ok(`${origin} may call /mcp.`)
  if (!areNamed)
    return skipped(
      `Pages of ${origin} may not call /mcp; where that is wanted, see ALLOWED_ORIGINS.`,
    )
  return wrong(`Pages of ${origin} may not call /mcp.`, `Set ALLOWED_ORIGINS=${origin}.`)
}
