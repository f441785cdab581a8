/** Text that every reader takes: what leaves the server has no lone surrogate in it. */

/**
 * `JSON.stringify` escapes lone surrogates as `\udXXX` (ECMA-262, 25.5.2.3), which strict parsers refuse
 * (RFC 8259, section 8.2). A pair of backslashes is text.
 */
const LONE_SURROGATE = /\\\\|\\ud[0-9a-f]{3}/g

/** Replaces lone surrogates in a text that `JSON.stringify` wrote by U+FFFD, in keys and values alike. */
export function wellFormedJson(json: string): string {
  return json.includes('\\ud') ? json.replace(LONE_SURROGATE, replaceSurrogate) : json
}

function replaceSurrogate(match: string): string {
  return match === '\\\\' ? match : '\ufffd'
}

/** The JSON text of a message or of a result, fit to leave the server. */
export function toWellFormedJson(value: unknown): string {
  return wellFormedJson(JSON.stringify(value))
}

/** The start of a text that is longer than `most` UTF-16 units, with an ellipsis; well-formed where the cut splits a pair. */
export function cutText(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`.toWellFormed()
}
