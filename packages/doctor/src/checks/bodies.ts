/** Size: what clients send with a document or an image has to get through. */

import { type Finding, ok, warning } from '../findings.ts'
import { postJson } from '../http.ts'
import { PING } from '../mcp.ts'
import type { Check } from '../visit.ts'

/** Below the megabyte that the server takes, and that nginx lets through unless it is told more. */
const LARGE_BYTES = 900_000

export const bodies: Check = {
  id: 'bodies',
  title: 'Large requests',
  async run({ base }): Promise<readonly Finding[]> {
    // Only calls may be large: servers give other messages less.
    const params = { name: 'doctor-large-request', arguments: { data: 'x'.repeat(LARGE_BYTES) } }
    const message = { ...PING, method: 'tools/call', params }
    const { status, headers } = await postJson(`${base}/mcp`, message)
    const kilobytes = LARGE_BYTES / 1000
    if (status !== 413) return [ok(`${kilobytes} kB get through.`)]
    const isOurs = headers.get('content-type')?.includes('json') === true
    const mend = isOurs
      ? 'Raise BODY_LIMIT_BYTES, if tools of yours take documents.'
      : 'Raise it at the proxy to what BODY_LIMIT_BYTES allows: nginx `client_max_body_size 1m;`.'
    return [warning(`${kilobytes} kB are too much (413).`, mend)]
  },
}
