/** `audit_list`: the newest calls. Hidden from callers who are not administrators. */

import { z } from 'zod'
import { defineTool } from '../mcp.ts'

export default defineTool({
  name: 'audit_list',
  title: 'Audit log',
  description: 'Lists the newest calls: who called what, and how it ended.',
  input: z.object({ limit: z.number().int().min(1).max(100).default(20) }),
  output: z.object({
    entries: z.array(
      z.object({
        ...{ at: z.string(), subject: z.string(), kind: z.string() },
        ...{ name: z.string(), outcome: z.string() },
      }),
    ),
  }),
  annotations: { readOnlyHint: true },
  visible: ({ claims }) => claims.role === 'admin',
  run: async ({ input, services }) => ({
    entries: [...(await services.auditLog.recent(input.limit))],
  }),
})
