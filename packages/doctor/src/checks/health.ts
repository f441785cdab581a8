/** `/livez` and `/readyz`: the probes of load balancers and orchestrators. */

import { z } from 'zod'
import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { ask, objectIn } from '../http.ts'
import type { Check } from '../visit.ts'

export const health: Check = {
  id: 'health',
  title: 'Health',
  run: async ({ base }) => {
    const answers = await Promise.all(['/livez', '/readyz'].map((path) => look(base, path)))
    return answers.flat()
  },
}

async function look(base: string, path: string): Promise<readonly Finding[]> {
  const answer = await ask(base + path)
  return [verdict(path, answer.status), ...warningsIn(answer)]
}

/** The fix for each configuration warning that the server reports. */
const MEND: Readonly<Record<string, string>> = {
  login_on_demand:
    'Set LOGIN=at-authorize, or leave LOGIN out: people then sign in before a client gets a token.',
  mcp_auth_undecided: 'Set MCP_AUTH=required, or MCP_AUTH=optional if everybody may call.',
  not_production: 'Set NODE_ENV=production, and the variables that it then requires.',
  upstream_issuer_differs:
    'Copy the issuer from the metadata (/.well-known/openid-configuration) into UPSTREAM_ISSUER.',
  oauth_issuer_differs: 'Copy the issuer from the metadata of the authorization server.',
  upstream_client_refused:
    'Compare UPSTREAM_CLIENT_ID and UPSTREAM_CLIENT_SECRET with the registration at the provider.',
  anybody_signs_in: 'Set UPSTREAM_ALLOW to the domain, group or people who may sign in.',
}

const Warnings = z.object({
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
})

function warningsIn(answer: { readonly status: number; readonly text: string }): Finding[] {
  if (answer.status !== 200) return []
  const { data } = Warnings.safeParse(objectIn(answer))
  return (data?.warnings ?? []).map(({ code, message }) =>
    warning(`${message}.`, MEND[code] ?? 'Look at the log of the nodes.'),
  )
}

function verdict(path: string, status: number): Finding {
  if (status === 200) return ok(`${path} says 200.`)
  if ([401, 403, 404].includes(status)) {
    return skipped(`${path} is not visible from here (${status}).`)
  }
  if (status === 503) {
    return wrong(
      `${path} answers 503: the node is stopping, or its Redis is unavailable.`,
      'Its body says why. Look at the log of the nodes, and at REDIS_URL: redis:// for one server, redis+cluster:// or redis+sentinel:// for several.',
    )
  }
  return warning(
    `${path} answers ${status}.`,
    'Forward the path to the nodes, or close it with 404.',
  )
}
