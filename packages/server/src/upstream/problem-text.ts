/** The words in the body of a refusal, in the forms that APIs use. */

/** Levels and lines that are looked at. */
const DEEPEST = 4
const MOST_LINES = 20
/** Fields that hold words, in this order; RFC 9457 has `detail` and `title`. */
const WORDS = ['detail', 'message', 'error_description', 'msg', 'description', 'title', 'error']
const NESTED = ['errors', 'error', 'details', 'detail', 'violations', 'fieldErrors']
/** Where a part of the request is named. */
const PLACES = ['field', 'path', 'pointer', 'param', 'property', 'name', 'loc', 'source']

/**
 * What a 4xx answer says, for `explain`: problem details (RFC 9457), `message`, `error`, and lists or
 * maps of errors with the fields they are about. Undefined where it says nothing, and for HTML.
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

/** Lists, objects with words, and maps from a field to what is wrong with it. */
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
