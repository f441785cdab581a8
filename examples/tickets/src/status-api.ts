/** A second API, with a key of the operator: known incidents of the company's own systems. */

import { ToolError } from '@mcp-template/server'
import { z } from 'zod'

const incidents = z.array(z.object({ title: z.string(), since: z.string() }))

export function createStatusApi(url: string, key: string | undefined) {
  return {
    /** @throws ToolError when the API does not answer as it should */
    async incidents(region: string, signal: AbortSignal): Promise<z.infer<typeof incidents>> {
      const response = await fetch(new URL(`/incidents?region=${region}`, url), {
        headers: key === undefined ? {} : { 'x-api-key': key },
        signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]),
      }).catch(() => undefined)
      if (response?.ok) return incidents.parse(await response.json())
      throw new ToolError('The status page is unavailable.', { code: 'status_unavailable' })
    },
  }
}
