/** `incident_list`: what the second API knows, which is called with the operator's key. */

import { z } from 'zod'
import { defineTool } from '../mcp.ts'

export default defineTool({
  name: 'incident_list',
  title: 'Incidents',
  description: 'Lists known incidents. Look here before you create a ticket.',
  input: z.object({}),
  output: z.object({ incidents: z.array(z.object({ title: z.string(), since: z.string() })) }),
  annotations: { readOnlyHint: true },
  run: async ({ services, settings, signal }) => ({
    incidents: await services.statusApi.incidents(settings.TICKETS_REGION, signal),
  }),
})
