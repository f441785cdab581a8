/** Paths that must not exist: clients continue discovery only after a plain 404. */

import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { ask } from '../http.ts'
import type { Check } from '../visit.ts'

const GUESSED = [
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/mcp',
  '/mcp/.well-known/openid-configuration',
]

const PAGE = 'https://inspector.example'

export const wellKnownPaths: Check = {
  id: 'well-known',
  title: 'Addresses that clients guess',
  async run({ base, facts }) {
    if (facts.builtIn === undefined) return [skipped(facts.noBuiltIn)]
    return Promise.all(GUESSED.map((path) => look(base, path)))
  },
}

async function look(base: string, path: string): Promise<Finding> {
  // CORS permits any origin at the root of the host; below an endpoint the endpoint's origin rule
  // applies.
  const isOpen = path.startsWith('/.well-known/')
  const asked = isOpen ? { headers: { origin: PAGE } } : {}
  const { status, headers, text } = await ask(base + path, asked)
  if (status !== 404) {
    return wrong(
      `${path} answers ${status}: clients take what is there for the server's metadata.`,
      'Let the nodes answer it: the proxy must not put a page of its own (an application, a sign-in) in place of 404.',
    )
  }
  if (!text.startsWith('{')) {
    return warning(
      `${path} says 404 with a page of the proxy.`,
      'Let the 404 of the nodes through: nginx without `proxy_intercept_errors on`.',
    )
  }
  if (isOpen && headers.get('access-control-allow-origin') === null) {
    return warning(
      `${path} says 404 without CORS: clients in browsers consider the server unreachable.`,
      'Let Access-Control-Allow-Origin of the nodes through.',
    )
  }
  return ok(`${path} is a plain 404.`)
}
