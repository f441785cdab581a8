/**
 * A logger with bound fields. Replaces pino's child loggers, which inherit from each other by
 * prototype: each new child invalidates V8's inline caches, a measurable cost per call.
 */

import { wellFormedJson } from '../well-formed.ts'
import type { LineLogger, Logger, LogMethod } from './line-logger.ts'
import { redactFields } from './redact-fields.ts'
import { redactText } from './redact-text.ts'

type LogArguments = Parameters<LogMethod>

export class ChildLogger implements Logger {
  readonly #root: LineLogger
  readonly #fields: object

  constructor(root: LineLogger, fields: object) {
    this.#root = root
    this.#fields = fields
  }

  trace(...args: LogArguments): void {
    this.#write('trace', args)
  }

  debug(...args: LogArguments): void {
    this.#write('debug', args)
  }

  info(...args: LogArguments): void {
    this.#write('info', args)
  }

  warn(...args: LogArguments): void {
    this.#write('warn', args)
  }

  error(...args: LogArguments): void {
    this.#write('error', args)
  }

  fatal(...args: LogArguments): void {
    this.#write('fatal', args)
  }

  audit(fields: object, message: string): void {
    this.#root.audit({ ...this.#fields, ...fields }, message)
  }

  known(log: 'info' | 'audit', members: string, message: string): void {
    const own = redactText(wellFormedJson(JSON.stringify(redactFields(this.#fields))))
    this.#root.known(log, (own === '{}' ? '' : `,${own.slice(1, -1)}`) + members, message)
  }

  child(fields: object): Logger {
    return new ChildLogger(this.#root, { ...this.#fields, ...fields })
  }

  isLevelEnabled(level: Parameters<Logger['isLevelEnabled']>[0]): boolean {
    return this.#root.isLevelEnabled(level)
  }

  #write(level: Parameters<Logger['isLevelEnabled']>[0], args: LogArguments): void {
    if (!this.#root.isLevelEnabled(level)) return
    const [first, message] = args
    if (typeof first === 'string') this.#root[level](this.#fields, first)
    else this.#root[level](Object.assign({}, this.#fields, first), String(message))
  }
}
