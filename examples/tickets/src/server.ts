/** The server's declaration: descriptions, hooks, routes and readiness. */

import audit from './hooks/audit.ts'
import { defineServer } from './mcp.ts'

export default defineServer({
  name: 'acme-tickets',
  title: 'Acme Tickets',
  instructions: 'Tickets of a support desk. Read a ticket before you change it.',
  scopes: {
    'tickets:read': 'Read your tickets and their attachments',
    'tickets:write': 'Create and change tickets',
  },
  hooks: [audit],
  readiness: ({ auditLog }) => auditLog.check(),
})
