/** Records every call in the database: caller, name and outcome, without arguments and results. */

import { defineHook } from '../mcp.ts'

export default defineHook({
  name: 'audit',
  async after({ kind, name, caller, services }, outcome) {
    await services.auditLog.record({
      at: new Date().toISOString(),
      subject: caller.subject ?? caller.kind,
      kind,
      name,
      outcome: outcome.status === 'error' ? outcome.code : outcome.status,
    })
  },
})
