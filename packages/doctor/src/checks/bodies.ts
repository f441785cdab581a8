/** Body size: requests with documents or images must pass. */

import { type Finding, ok, warning } from '../findings.ts'
import { postJson } from '../http.ts'
import { PING } from '../mcp.ts'
import type { Check } from '../visit.ts'

/** Below 1 MB, the limit of the server and the default of nginx. */
const LARGE_BYTES = 900_000

export const bodies: Check = {
  id: 'bodies',
  title: 'Large requests',
  async run({ base }): Promise<readonly Finding[]> {
    // Uses `tools/call`: servers accept only small bodies for other messages.
    const params = { name: 'doctor-large-request', arguments: { data: 'x'.repeat(LARGE_BYTES) } }
    const message = { ...PING, method: 'tools/call', params }
    const { status, headers } = await postJson(`${base}/mcp`, message)
    const kilobytes = LARGE_BYTES / 1000
    if (status !== 413) return [ok(`A body of ${kilobytes} kB is accepted.`)]
    const isOurs = headers.get('content-type')?.includes('json') === true
    const mend = isOurs
      ? 'Raise BODY_LIMIT_BYTES if your tools take documents.'
      : 'Raise it at the proxy to what BODY_LIMIT_BYTES allows: nginx `client_max_body_size 1m;`.'
    return [warning(`A body of ${kilobytes} kB is refused (413).`, mend)]
  },
}
