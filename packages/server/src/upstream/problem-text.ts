/** Extracts the messages of an error body, in the formats that APIs use. */

/** Limits on nesting depth and number of lines. */
const DEEPEST = 4
const MOST_LINES = 20
/** Fields that hold messages, by precedence; RFC 9457 has `detail` and `title`. */
const WORDS = ['detail', 'message', 'error_description', 'msg', 'description', 'title', 'error']
const NESTED = ['errors', 'error', 'details', 'detail', 'violations', 'fieldErrors']
/** Fields that name a part of the request. */
const PLACES = ['field', 'path', 'pointer', 'param', 'property', 'name', 'loc', 'source']

/**
 * The messages of a 4xx response, for `explain`: problem details (RFC 9457), `message`, `error`,
 * and lists or maps of errors with their fields. Undefined without a message, and for HTML.
 */
export function problemText(body: unknown): string | undefined {
  const lines = [...new Set(linesOf(body, 0))].slice(0, MOST_LINES)
  return lines.length === 0 ? undefined : lines.join('; ')
}

function linesOf(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return isText(value) ? [value.trim()] : []
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return []
  if (Array.isArray(value))
    return value.slice(0, MOST_LINES).flatMap((each) => linesOf(each, depth + 1))
  const fields = value as Readonly<Record<string, unknown>>
  const words = WORDS.map((name) => fields[name]).find((each) => isText(each))
  const place = placeOf(fields)
  const own =
    typeof words === 'string' ? [place === '' ? words.trim() : `${place}: ${words.trim()}`] : []
  const nested = NESTED.flatMap((name) => nestedLines(fields[name], depth + 1))
  return [...own, ...nested]
}

/** Lists, objects with messages, and maps from field names to errors. */
function nestedLines(value: unknown, depth: number): string[] {
  if (typeof value !== 'object' || value === null) return []
  const lines = linesOf(value, depth)
  if (lines.length > 0 || Array.isArray(value)) return lines
  return Object.entries(value)
    .slice(0, MOST_LINES)
    .flatMap(([name, each]) => linesOf(each, depth + 1).map((line) => `${name}: ${line}`))
}

function placeOf(fields: Readonly<Record<string, unknown>>): string {
  for (const name of PLACES) {
    const value = fields[name]
    if (typeof value === 'string' && value !== '') return value
    if (Array.isArray(value)) return value.filter((each) => typeof each !== 'object').join('.')
    const pointer = (value as { pointer?: unknown } | null | undefined)?.pointer
    if (typeof pointer === 'string') return pointer
  }
  return ''
}

function isText(value: unknown): boolean {
  return (
    typeof value === 'string' && value.trim() !== '' && !/^\s*<(!doctype|html|\?xml)/i.test(value)
  )
}
