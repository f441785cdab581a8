/** The audit log: calls and their outcomes, in SQLite or PostgreSQL (DATABASE_URL). */

export interface AuditEntry {
  /** ISO 8601. */
  readonly at: string
  readonly subject: string
  readonly kind: string
  readonly name: string
  /** `ok`, `input_required`, or the code of an error. */
  readonly outcome: string
}

export interface AuditLog {
  record(entry: AuditEntry): Promise<void>
  /** The newest entries, newest first. */
  recent(limit: number): Promise<readonly AuditEntry[]>
  /** Rejects while the database is unavailable. */
  check(): Promise<void>
  close(): Promise<void>
}

/** Opens the database, and creates the table if it does not exist. Loads only the driver in use. */
export async function openAuditLog(url: string): Promise<AuditLog> {
  if (url.startsWith('sqlite:')) {
    const { openSqlite } = await import('./audit-log/sqlite.ts')
    return openSqlite(url.slice('sqlite:'.length))
  }
  const { openPostgres } = await import('./audit-log/postgres.ts')
  return openPostgres(url)
}
