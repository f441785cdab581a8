/** Redacts a request's credentials from the response, since some APIs echo what they received. */

/** Shorter values would match ordinary words. */
const SHORTEST = 8
const STAR = '*'.charCodeAt(0)

export class HiddenCredentials {
  readonly #spellings: readonly string[]

  constructor(values: readonly (string | undefined)[]) {
    this.#spellings = [...new Set(values.flatMap(spellingsOf))]
  }

  /** Replaces credentials in the text by asterisks. */
  text(text: string): string {
    return this.#spellings.reduce(
      (hidden, each) =>
        hidden.includes(each) ? hidden.replaceAll(each, '*'.repeat(each.length)) : hidden,
      text,
    )
  }

  /** Overwrites credentials in place; the length stays the same. */
  overwrite(bytes: Buffer): Buffer {
    for (const each of this.#spellings) {
      for (let at = bytes.indexOf(each); at !== -1; at = bytes.indexOf(each, at)) {
        bytes.fill(STAR, at, at + Buffer.byteLength(each))
      }
    }
    return bytes
  }

  /** Streaming variant: holds back bytes that may start a credential until the next chunk. */
  async *overwriteEach(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    const longest = Math.max(0, ...this.#spellings.map((each) => Buffer.byteLength(each)))
    const overlap = Math.max(0, longest - 1)
    let held: Buffer = Buffer.alloc(0)
    for await (const part of parts) {
      const joined = this.overwrite(Buffer.concat([held, part]))
      const ready = Math.max(0, joined.length - overlap)
      held = joined.subarray(ready)
      if (ready > 0) yield joined.subarray(0, ready)
    }
    if (held.length > 0) yield held
  }
}

/** The secret, verbatim and in JSON and URL encoding; without a scheme such as `Basic`. */
function spellingsOf(value: string | undefined): readonly string[] {
  const secret = value?.slice(value.lastIndexOf(' ') + 1) ?? ''
  if (secret.length < SHORTEST) return []
  const spellings = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
  return [...spellings, secret.replaceAll('/', '\\/')]
}
