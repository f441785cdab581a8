/** What unauthenticated callers see: pages with security headers, and no operator data. */

import { isLoopback } from '../addresses.ts'
import { type Finding, ok, skipped, warning, whether, wrong } from '../findings.ts'
import { ask } from '../http.ts'
import type { Check } from '../visit.ts'

export const exposure: Check = {
  id: 'exposure',
  title: 'What unauthenticated callers see',
  run: async ({ base }) => Promise.all([metrics(base), landing(base), nowhere(base)]),
}

/**
 * Simulates a remote caller (RFC 5737) on the server's own machine, where local programs may read
 * metrics. Not from outside: a proxy that omits the header must not be helped.
 */
const ELSEWHERE = { 'x-forwarded-for': '203.0.113.1' }

async function metrics(base: string): Promise<Finding> {
  const headers = isLoopback(base) ? ELSEWHERE : {}
  const { status, text } = await ask(`${base}/metrics`, { headers })
  return whether(
    status !== 200 || !/^# (HELP|TYPE) /m.test(text),
    'Metrics are not public.',
    wrong(
      '/metrics is readable by everybody: it shows which tools are used, and how much.',
      'Serve metrics on a separate port, or close the path at the proxy: nginx `location = /metrics { return 404; }`.',
    ),
  )
}

async function landing(base: string): Promise<Finding> {
  const { status, headers } = await ask(`${base}/`, { headers: { accept: 'text/html' } })
  if (status !== 200) return skipped(`There is no page at / (${status}).`)
  const missing = ['content-security-policy', 'x-content-type-options'].filter(
    (name) => headers.get(name) === null,
  )
  return whether(
    missing.length === 0,
    'Pages have their security headers.',
    warning(
      `The page at / lacks ${missing.join(' and ')}.`,
      'The server sends them: the proxy removes them, or serves a page of its own.',
    ),
  )
}

async function nowhere(base: string): Promise<Finding> {
  const [unknown, put] = await Promise.all([
    ask(`${base}/there-is-nothing-here`),
    ask(`${base}/mcp`, { method: 'PUT' }),
  ])
  if (unknown.status === 404 && put.status === 405) {
    return ok('Unknown addresses are 404, wrong methods 405.')
  }
  return warning(
    `An unknown address answers ${unknown.status}, and PUT at /mcp ${put.status}, instead of 404 and 405.`,
    'Forward the statuses of the nodes: no fallback page, no list of methods at the proxy.',
  )
}
