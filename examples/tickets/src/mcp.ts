/** Settings and services of the server, and the typed functions that declare tools and so on. */

import { createMcp } from '@mcp-template/server'
import { z } from 'zod'
import { openAuditLog } from './audit-log.ts'

export const {
  defineServer,
  defineTool,
  defineContentTool,
  defineResource,
  definePrompt,
  defineHook,
} = createMcp({
  settings: z.object({
    TICKETS_REGION: z.enum(['eu', 'us']).default('eu').describe('Where tickets are kept.'),
    TICKETS_PAGE_SIZE: z.coerce.number().int().min(1).max(100).default(25),
    TICKETS_REPORT_PAGE_MS: z.coerce.number().int().min(100).max(60_000).default(20_000),
    DATABASE_URL: z
      .string()
      .regex(/^(sqlite|postgres(ql)?):/)
      .default('sqlite:audit.db')
      .meta({ secret: true }),
  }),
  // The second API, with a key of the operator: UPSTREAM_STATUS_API_URL and UPSTREAM_STATUS_API_KEY.
  upstreams: ['status'],
  async services({ settings, open }) {
    const auditLog = await open(
      'audit log',
      () => openAuditLog(settings.DATABASE_URL),
      (log) => log.close(),
    )
    return { auditLog }
  },
})
