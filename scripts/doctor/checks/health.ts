/** `/livez` and `/readyz`: what balancers and orchestrators ask. */

import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { ask } from '../http.ts'
import type { Check } from '../visit.ts'

export const health: Check = {
  id: 'health',
  title: 'Health',
  run: async ({ base }) => Promise.all(['/livez', '/readyz'].map((path) => look(base, path))),
}

async function look(base: string, path: string): Promise<Finding> {
  const { status } = await ask(base + path)
  if (status === 200) return ok(`${path} says 200.`)
  if ([401, 403, 404].includes(status)) {
    return skipped(`${path} is not to be seen from here (${status}).`)
  }
  if (status === 503) {
    return wrong(
      `${path} says 503: the node that answered stops, or its Redis does not answer.`,
      'Look at the log of the nodes, and at REDIS_URL.',
    )
  }
  return warning(`${path} says ${status}.`, 'Hand the path on to the nodes, or close it with 404.')
}
