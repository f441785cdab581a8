/** The audit log in PostgreSQL, for more than one node. */

import pg from 'pg'
import type { AuditEntry, AuditLog } from '../audit-log.ts'

const TABLE = `CREATE TABLE IF NOT EXISTS audit (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at TEXT NOT NULL, subject TEXT NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL, outcome TEXT NOT NULL)`
const INSERT = 'INSERT INTO audit (at, subject, kind, name, outcome) VALUES ($1, $2, $3, $4, $5)'
const NEWEST = 'SELECT at, subject, kind, name, outcome FROM audit ORDER BY id DESC LIMIT $1'

export async function openPostgres(url: string): Promise<AuditLog> {
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 5000 })
  // The next query replaces an idle connection that broke.
  pool.on('error', () => undefined)
  try {
    await pool.query(TABLE)
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    async record({ at, subject, kind, name, outcome }) {
      await pool.query(INSERT, [at, subject, kind, name, outcome])
    },
    recent: async (limit) => (await pool.query<AuditEntry>(NEWEST, [limit])).rows,
    check: async () => void (await pool.query('SELECT 1')),
    close: () => pool.end(),
  }
}
