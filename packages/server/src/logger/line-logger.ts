/** What code writes its log lines to. */

export type LineLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type LogMethod = (...args: [message: string] | [fields: object, message: string]) => void

/** Lines by level. Errors go into the field `err`. */
export interface LineLogger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** Who did what, for the audit log: no arguments, no results. */
  readonly audit: (fields: object, message: string) => void
  /**
   * A line at the level info, or of the audit log, without the search for secrets: `members` are those
   * of a JSON object with a comma before each, all of them from closed sets, hashes or numbers.
   */
  readonly known: (log: 'info' | 'audit', members: string, message: string) => void
  isLevelEnabled(level: LineLevel): boolean
}

export interface Logger extends LineLogger {
  /** A logger whose lines all carry these fields, such as a request id. */
  child(fields: object): Logger
}
