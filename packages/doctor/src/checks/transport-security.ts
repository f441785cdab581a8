/** TLS: https, and redirects from http. */

import { isLoopback } from '../addresses.ts'
import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { ask, postJson } from '../http.ts'
import { PING } from '../mcp.ts'
import type { Check } from '../visit.ts'

const HSTS =
  'Send it at the proxy: nginx `add_header Strict-Transport-Security "max-age=31536000" always;`.'

export const transportSecurity: Check = {
  id: 'transport-security',
  title: 'https',
  async run({ base }) {
    if (base.startsWith('https:')) return [await strictness(base), await plainHttp(base)]
    if (isLoopback(base))
      return [skipped('The server is on this machine, where plain http is safe.')]
    return [
      wrong(
        'The server is reached by http: tokens can be read in transit, and clients refuse to connect.',
        'Put a proxy with TLS in front, and set PUBLIC_URL to its https address.',
      ),
    ]
  },
}

async function strictness(base: string): Promise<Finding> {
  const { headers } = await ask(`${base}/`)
  if (headers.get('strict-transport-security') !== null)
    return ok('Browsers must use https (HSTS).')
  return warning('Strict-Transport-Security is not sent.', HSTS)
}

/** RFC 9110, 15.4: only 307 and 308 keep a POST a POST. */
async function plainHttp(base: string): Promise<Finding> {
  const { hostname, port } = new URL(base)
  if (port !== '') return skipped('On a non-default port there is no http to check.')
  const answer = await postJson(`http://${hostname}/mcp`, PING).catch(() => undefined)
  if (answer === undefined) return ok('Nothing is served by http.')
  const { status } = answer
  if (status === 307 || status === 308)
    return ok(`http leads to https, and keeps a POST (${status}).`)
  if (status >= 300 && status < 400) {
    return warning(
      `http leads to https with ${status}: clients make a GET of their POST.`,
      'Redirect with 308: nginx `return 308 https://$host$request_uri;`.',
    )
  }
  if (status >= 400 && !answer.text.includes('jsonrpc')) return ok(`http is refused (${status}).`)
  return wrong(
    `/mcp is served by http as well (${status}): tokens can be read in transit.`,
    'Redirect with 308, or close port 80: nginx `return 308 https://$host$request_uri;`.',
  )
}
