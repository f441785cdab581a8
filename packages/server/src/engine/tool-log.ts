/** The logger tools get: what the tool masks stays masked in its log lines. */

import type { Logger } from '../logger.ts'
import type { Redactor } from '../output/redactor.ts'
import type { ToolLog } from './context.ts'

const DEEPEST = 6

/** Wraps the call's logger; messages and fields pass through the call's redactor. */
export function createToolLog(logger: Logger, redactor: Redactor): ToolLog {
  const at =
    (level: keyof ToolLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (!logger.isLevelEnabled(level)) return
      redactor.learn(fields)
      logger[level]({ fields: scrubValue(fields, redactor) }, redactor.scrub(message))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** A value as it may be logged: at any depth, what the tool masks is masked. */
export function scrubValue(value: unknown, redactor: Redactor, depth = 0): unknown {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    const scrubbed = redactor.scrub(String(value))
    return scrubbed === String(value) ? value : scrubbed
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEEPEST) return '[too deep]'
  if (value instanceof Error) return scrubError(value, redactor, depth)
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, redactor, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return scrubValue(value.toJSON(), redactor, depth + 1)
  }
  const fields = Object.entries(value).map(([name, item]) => [
    redactor.scrub(name),
    scrubValue(item, redactor, depth + 1),
  ])
  return Object.fromEntries(fields) as unknown
}

function scrubError(error: Error, redactor: Redactor, depth: number): Error {
  const copy = new Error(redactor.scrub(error.message))
  copy.name = error.name
  copy.stack = redactor.scrub(error.stack ?? '')
  if (error.cause !== undefined) copy.cause = scrubValue(error.cause, redactor, depth + 1)
  return 'code' in error ? Object.assign(copy, { code: error.code }) : copy
}
