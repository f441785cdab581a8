/** Texts of a document as literals, keys and comments of generated code, which they cannot leave. */

/** Control and format characters: they hide or reorder what a reader sees ("Trojan Source"). */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** One line of visible characters, `most` of them at most. */
export function plainText(text: unknown, most: number): string {
  if (typeof text !== 'string') return ''
  // Cut first: what is dropped need not be searched.
  const line = text
    .slice(0, most * 4)
    .toWellFormed()
    .replaceAll(INVISIBLE, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const characters = Array.from(line)
  return characters.length <= most
    ? line
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`
}

/** Plain text that ends no comment, whichever kind of comment it stands in. */
export function commentText(text: unknown, most = 200): string {
  return plainText(text, most).replaceAll('*/', '* /')
}

/** A value as source text. */
export function literal(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value)
  const escaped = JSON.stringify(value)
    .slice(1, -1)
    .replaceAll(INVISIBLE, escapeSequence)
    // Linters take it for a template that lost its backticks.
    .replaceAll('$\x7b', '\\x24{')
  if (value.includes("'") && !value.includes('"')) return `"${escaped}"`
  return `'${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** UTF-16 code units, so that it holds for characters beyond the first plane. */
function escapeSequence(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** A name as the key of an object literal. `isUsableName` comes first. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name)
}

/**
 * Whether a name can be a field. Those of `Object.prototype` look present where they are absent, and
 * an object with `then` passes for a promise.
 */
export function isUsableName(name: string): boolean {
  return name !== '' && name !== 'then' && !(name in Object.prototype)
}

/** An object literal, a line for each entry: formatters leave it open. */
export function objectLiteral(entries: readonly string[]): string {
  return entries.length === 0 ? '{}' : `{\n${entries.join('\n')}\n}`
}
