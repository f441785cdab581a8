/** Encodes documents and their revisions as JSON text, the same in every driver. */

import { encodeJson } from './json-text.ts'
import type { Document, Stored } from './port.ts'

/**
 * The text of a document after its revision: `,"state":"new"}`. The revision always comes first, so
 * that a script can read and replace it without decoding the document (Lua's cjson turns `[]` into
 * `{}` and rounds numbers). A `rev` among the fields is ignored: only the store counts revisions.
 */
export function encodeFields(value: Document): string {
  const { rev: _, ...fields } = value
  const text = encodeJson(fields)
  return text === '{}' ? '}' : `,${text.slice(1)}`
}

/** The whole text of a document, from its revision and the outcome of `encodeFields`. */
export function withRevision(rev: number, fields: string): string {
  return `{"rev":${rev}${fields}`
}

/** Parses text that a driver wrote. The shape is the one the caller stored; it is not validated. */
export function decodeDocument<T extends Document>(text: string): Stored<T> {
  return JSON.parse(text) as Stored<T>
}

/** Like `decodeDocument`, for a reply that may be absent: anything but text counts as absent. */
export function decodeReply<T extends Document>(text: unknown): Stored<T> | undefined {
  return typeof text === 'string' ? decodeDocument<T>(text) : undefined
}
