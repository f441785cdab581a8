/** Hides secrets by the name of their field, at any depth, cuts long texts, and writes errors out. */

const REDACTED = '[redacted]'
const MAX_DEPTH = 8
/** Enough for any record of ours; a socket that was logged by mistake must not stall the server. */
const MAX_VALUES = 1000
/** Of a text, and of all texts of a line, which is searched for secrets: 50 MB take seconds. */
const MAX_CHARACTERS = 8192
const MAX_LINE_CHARACTERS = 65_536

/** Ends of field names, so that `upstreamApiKey` and `set-cookie` are found by them too. */
const SECRET_FIELD =
  /(?:authorization|cookies?|passw(?:or)?d|passphrase|secrets?|token|code[-_]?verifier|api[-_]?key|credentials?|session[-_]?id|(?:private|encryption)[-_]?keys?|encryption[-_]?iv|redis_p|assertion|handle)$/i

interface Budget {
  values: number
  characters: number
}

/** A copy of the fields of one line that is safe to write. The fields themselves stay as they are. */
export function redactFields(fields: object): Record<string, unknown> {
  try {
    const copy = redactValue(fields, 0, {
      values: MAX_VALUES,
      characters: MAX_LINE_CHARACTERS,
    })
    return typeof copy === 'object' && copy !== null ? { ...copy } : { value: copy }
  } catch {
    // A getter that throws; a line of the log must never be what fails a request.
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
 * Absence and flags tell nothing, and help. A number under `code` is a status; anything else is
 * taken for an OAuth authorization code, so other codes need another name, such as `errorCode`.
 */
function isSecret(key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false
  if (key === 'code') return typeof value !== 'number'
  return SECRET_FIELD.test(key)
}

/** An error's own `code` says what went wrong, and stays. */
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

/** A stack begins with the message, whose end would otherwise cut off all frames. */
function cutStack(stack: string, message: unknown, budget: Budget): string {
  if (typeof message !== 'string' || message.length <= MAX_CHARACTERS) return cut(stack, budget)
  const start = stack.indexOf(message)
  if (start === -1) return cut(stack, budget)
  const frames = stack.slice(start + message.length)
  return `${cut(stack.slice(0, start), budget)}${cut(message, budget)}${cut(frames, budget)}`
}

/** Cuts at white space if there is some: half a secret would not be recognized. */
function cut(text: string, budget: Budget): string {
  const most = Math.max(0, Math.min(MAX_CHARACTERS, budget.characters))
  budget.characters -= Math.min(text.length, most)
  if (text.length <= most) return text
  const space = text.slice(0, most).search(/\s\S*$/)
  const end = space > most / 2 ? space : most
  return `${text.slice(0, end)} [${text.length - end} more characters]`
}
