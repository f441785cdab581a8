/** Redacts secrets by field name at any depth, truncates long texts, and serialises errors. */

const REDACTED = '[redacted]'
const MAX_DEPTH = 8
/** Enough for any record of the server; a socket that is logged by mistake must not stall it. */
const MAX_VALUES = 1000
/** The limit of one text and of all texts of a line: redacting 50 MB takes seconds. */
const MAX_CHARACTERS = 8192
const MAX_LINE_CHARACTERS = 65_536

/** Suffixes of field names, which also match `upstreamApiKey` and `set-cookie`. */
const SECRET_FIELD =
  /(?:authorization|cookies?|passw(?:or)?d|passphrase|secrets?|token|code[-_]?verifier|api[-_]?key|credentials?|session[-_]?id|(?:private|encryption)[-_]?keys?|encryption[-_]?iv|redis_p|assertion|handle)$/i

interface Budget {
  values: number
  characters: number
}

/** A copy of the fields that is safe to write. Does not modify the original. */
export function redactFields(fields: object): Record<string, unknown> {
  try {
    const copy = redactValue(fields, 0, {
      values: MAX_VALUES,
      characters: MAX_LINE_CHARACTERS,
    })
    return typeof copy === 'object' && copy !== null ? { ...copy } : { value: copy }
  } catch {
    // A getter threw; logging must never make a request fail.
    return { fields: '[unreadable]' }
  }
}

function redactValue(value: unknown, depth: number, budget: Budget): unknown {
  if (typeof value === 'string') return cut(value, budget)
  if (typeof value !== 'object' || value === null) return value
  budget.values -= 1
  if (depth > MAX_DEPTH || budget.values < 0) return '[cut off]'
  if (value instanceof Error) return redactError(value, depth, budget)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) {
    return value.slice(0, MAX_VALUES).map((entry) => redactValue(entry, depth + 1, budget))
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return redactValue(value.toJSON(), depth + 1, budget)
  }
  return redactObject(value, depth, budget)
}

function redactObject(value: object, depth: number, budget: Budget): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [key, entry] of Object.entries(value)) {
    if (budget.values < 0) break
    copy[key] = isSecret(key, entry) ? REDACTED : redactValue(entry, depth + 1, budget)
  }
  return copy
}

/**
 * Empty values and booleans reveal nothing, and help. A number under `code` is a status; any other
 * `code` is treated as an OAuth authorization code, so other codes need another name, such as
 * `errorCode`.
 */
function isSecret(key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false
  if (key === 'code') return typeof value !== 'number'
  return SECRET_FIELD.test(key)
}

/** Keeps an error's own `code`, which identifies the failure. */
function redactError(error: Error, depth: number, budget: Budget): Record<string, unknown> {
  const { name, message, stack } = error
  const written: Record<string, unknown> = {
    type: cut(name, budget),
    message: cut(message, budget),
  }
  if ('code' in error) written.code = redactValue(error.code, depth + 1, budget)
  written.stack = typeof stack === 'string' ? cutStack(stack, message, budget) : undefined
  if (error.cause !== undefined) written.cause = redactValue(error.cause, depth + 1, budget)
  if (error instanceof AggregateError) {
    written.errors = redactValue(error.errors, depth + 1, budget)
  }
  return written
}

/**
 * Truncates the message within the stack, which starts with it: otherwise no frames would remain.
 */
function cutStack(stack: string, message: unknown, budget: Budget): string {
  if (typeof message !== 'string' || message.length <= MAX_CHARACTERS) return cut(stack, budget)
  const start = stack.indexOf(message)
  if (start === -1) return cut(stack, budget)
  const frames = stack.slice(start + message.length)
  return `${cut(stack.slice(0, start), budget)}${cut(message, budget)}${cut(frames, budget)}`
}

/** Truncates at white space if possible: redaction would not recognize half a secret. */
function cut(text: string, budget: Budget): string {
  const most = Math.max(0, Math.min(MAX_CHARACTERS, budget.characters))
  budget.characters -= Math.min(text.length, most)
  if (text.length <= most) return text
  const space = text.slice(0, most).search(/\s\S*$/)
  const end = space > most / 2 ? space : most
  return `${text.slice(0, end)} [${text.length - end} more characters]`
}
