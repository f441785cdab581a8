/**
 * Escapes texts of a document as literals, keys and comments of generated code (code injection).
 */

/** Control and format characters: they hide or reorder what a reader sees ("Trojan Source"). */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** One line of visible characters, truncated to `most` characters. */
export function plainText(text: unknown, most: number): string {
  if (typeof text !== 'string') return ''
  // Truncates first, so that it only searches what remains.
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

/** Plain text that cannot end a comment of any kind. */
export function commentText(text: unknown, most = 200): string {
  return plainText(text, most).replaceAll('*/', '* /')
}

/** A value as source text. */
export function literal(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value)
  const escaped = JSON.stringify(value)
    .slice(1, -1)
    .replaceAll(INVISIBLE, escapeSequence)
    // Linters report `${` in a plain string.
    .replaceAll('$\x7b', '\\x24{')
  if (value.includes("'") && !value.includes('"')) return `"${escaped}"`
  return `'${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** By UTF-16 code units, which also covers characters beyond the BMP. */
function escapeSequence(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** A name as the key of an object literal. Check it with `isUsableName` first. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name)
}

/**
 * Whether a name can be a field. Refuses names of `Object.prototype`, which look present even if
 * they are absent (prototype pollution), and `then`, which makes an object a thenable.
 */
export function isUsableName(name: string): boolean {
  return name !== '' && name !== 'then' && !(name in Object.prototype)
}

/** An object literal with one entry per line, a layout that formatters keep. */
export function objectLiteral(entries: readonly string[]): string {
  return entries.length === 0 ? '{}' : `{\n${entries.join('\n')}\n}`
}
