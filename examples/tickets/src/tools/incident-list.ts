/** `incident_list`: incidents of the second API, which is called with the operator's key. */

import { z } from 'zod'
import { defineTool } from '../mcp.ts'

const incident = z.object({ title: z.string(), since: z.string() })
type Incident = z.infer<typeof incident>

export default defineTool({
  name: 'incident_list',
  title: 'Incidents',
  description: 'Lists known incidents. Look here before you create a ticket.',
  input: z.object({}),
  output: z.object({ incidents: z.array(incident) }),
  annotations: { readOnlyHint: true },
  async run({ upstream, settings, signal }) {
    const params = { region: settings.TICKETS_REGION }
    return { incidents: await upstream.status.get<Incident[]>('/incidents', params, { signal }) }
  },
})
