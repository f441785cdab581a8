/** Well-formed Unicode: replaces lone surrogates in all text that leaves the server. */

/**
 * `JSON.stringify` escapes lone surrogates as `\udXXX` (ECMA-262, 25.5.2.3), which strict parsers
 * reject (RFC 8259, section 8.2). Also matches escaped backslashes, to skip a literal `\\ud`.
 */
const LONE_SURROGATE = /\\\\|\\ud[0-9a-f]{3}/g

/** Replaces lone surrogates in the output of `JSON.stringify` with U+FFFD, in keys and values. */
export function wellFormedJson(json: string): string {
  return json.includes('\\ud') ? json.replace(LONE_SURROGATE, replaceSurrogate) : json
}

function replaceSurrogate(match: string): string {
  return match === '\\\\' ? match : '\ufffd'
}

/** Serializes a message or result as well-formed JSON. */
export function toWellFormedJson(value: unknown): string {
  return wellFormedJson(JSON.stringify(value))
}

/** Truncates to `most` UTF-16 units, with an ellipsis; well-formed even if it splits a pair. */
export function cutText(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`.toWellFormed()
}
