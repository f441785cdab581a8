/** The audit log in SQLite: a file, or `:memory:`. */

import sqlite from 'node-sqlite3-wasm'
import type { AuditEntry, AuditLog } from '../audit-log.ts'

const TABLE = `CREATE TABLE IF NOT EXISTS audit (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, subject TEXT NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL, outcome TEXT NOT NULL)`
const INSERT = 'INSERT INTO audit (at, subject, kind, name, outcome) VALUES (?, ?, ?, ?, ?)'
const NEWEST = 'SELECT at, subject, kind, name, outcome FROM audit ORDER BY id DESC LIMIT ?'

export function openSqlite(file: string): AuditLog {
  const database = new sqlite.Database(file)
  database.exec(TABLE)
  return {
    async record({ at, subject, kind, name, outcome }) {
      database.run(INSERT, [at, subject, kind, name, outcome])
    },
    recent: async (limit) => database.all(NEWEST, [limit]) as unknown as AuditEntry[],
    check: async () => void database.get('SELECT 1'),
    close: async () => database.close(),
  }
}
