/** Bounds of text that is stored: in bytes of UTF-8, since one UTF-16 unit may need three. */

const encoder = new TextEncoder()

/** The beginning of a text, in at most so many bytes: whole characters, lone surrogates replaced. */
export function cutToBytes(text: string, mostBytes: number): string {
  const bytes = Buffer.alloc(mostBytes)
  const { written } = encoder.encodeInto(text, bytes)
  return bytes.toString('utf8', 0, written)
}

/** The text, cut if it has more than so many bytes. */
export function withinBytes(text: string, mostBytes = Number.POSITIVE_INFINITY): string {
  // One UTF-16 unit takes three bytes at most.
  const fits = text.length <= mostBytes / 3 || Buffer.byteLength(text) <= mostBytes
  return fits ? text : cutToBytes(text, mostBytes)
}
