/** Hides secrets by the name of their field, at any depth, and writes errors out. */

const REDACTED = '[redacted]'
const MAX_DEPTH = 8
/** Enough for any record of ours; a socket that was logged by mistake must not stall the server. */
const MAX_VALUES = 1000

/** Ends of field names, so that `upstreamApiKey` and `set-cookie` are found by them too. */
const SECRET_FIELD =
  /(?:authorization|cookies?|passw(?:or)?d|passphrase|secrets?|token|code[-_]?verifier|api[-_]?key|credentials?|session[-_]?id|(?:private|encryption)[-_]?keys?|encryption[-_]?iv|redis_p|assertion|handle)$/i

interface Budget {
  values: number
}

/** A copy of the fields of one line that is safe to write. The fields themselves stay as they are. */
export function redactFields(fields: object): Record<string, unknown> {
  try {
    const copy = redactValue(fields, 0, { values: MAX_VALUES })
    return typeof copy === 'object' && copy !== null ? { ...copy } : { value: copy }
  } catch {
    // A getter that throws; a line of the log must never be what fails a request.
    return { fields: '[unreadable]' }
  }
}

function redactValue(value: unknown, depth: number, budget: Budget): unknown {
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
  const written: Record<string, unknown> = { type: error.name, message: error.message }
  if ('code' in error) written.code = redactValue(error.code, depth + 1, budget)
  written.stack = error.stack
  if (error.cause !== undefined) written.cause = redactValue(error.cause, depth + 1, budget)
  if (error instanceof AggregateError) {
    written.errors = redactValue(error.errors, depth + 1, budget)
  }
  return written
}
