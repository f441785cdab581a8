/** The logger interface. */

export type LineLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type LogMethod = (...args: [message: string] | [fields: object, message: string]) => void

/** One method per level. Errors go into the field `err`. */
export interface LineLogger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** The audit log: who did what, without arguments or results. */
  readonly audit: (fields: object, message: string) => void
  /**
   * Writes a line to the audit log, or at level info, without redaction: `members` are the members
   * of a JSON object, each after a comma, with values that are enumerated, hashes or numbers;
   * `message` is text without characters that JSON escapes.
   */
  readonly known: (log: 'info' | 'audit', members: string, message: string) => void
  isLevelEnabled(level: LineLevel): boolean
}

export interface Logger extends LineLogger {
  /** A logger with these fields bound to every line, such as a request id. */
  child(fields: object): Logger
}
