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
  title: 'URLs that clients guess',
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
      `${path} answers ${status}: clients take the response for the server's metadata.`,
      'Forward it to the nodes: the proxy must not replace 404 by its own page (an application, a sign-in).',
    )
  }
  if (!text.startsWith('{')) {
    return warning(
      `${path} answers 404 with a page of the proxy.`,
      'Forward the 404 of the nodes: nginx without `proxy_intercept_errors on`.',
    )
  }
  if (isOpen && headers.get('access-control-allow-origin') === null) {
    return warning(
      `${path} answers 404 without CORS: clients in browsers consider the server unreachable.`,
      'Forward Access-Control-Allow-Origin of the nodes.',
    )
  }
  return ok(`${path} is a plain 404.`)
}
