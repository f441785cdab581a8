/** The audit log, in each available database. */

import { describe, expect, it } from 'vitest'
import { openAuditLog } from './audit-log.ts'

const entry = (name: string) => {
  return { at: new Date().toISOString(), subject: "o'hara", kind: 'tool', name, outcome: 'ok' }
}

const { DATABASE_URL = '' } = process.env
const isPostgres = DATABASE_URL.startsWith('postgres')

describe.each([
  ['SQLite', 'sqlite::memory:', true],
  ['PostgreSQL, where DATABASE_URL names a server', DATABASE_URL, isPostgres],
])('the audit log in %s', (_database, url, isThere) => {
  it.skipIf(!isThere)('has the recorded calls, the newest first', async () => {
    const log = await openAuditLog(url)
    try {
      await log.check()
      const [first, second] = [entry('ticket_list'), entry('ticket_read')]
      await log.record(first)
      await log.record(second)
      expect(await log.recent(2)).toEqual([second, first])
    } finally {
      await log.close()
    }
  })
})

it('refuses to open an unavailable database', async () => {
  await expect(openAuditLog('postgres://nobody@127.0.0.1:1/none')).rejects.toThrow()
})
