/** Hides the credentials of a request in what the API sends back: some APIs echo what they got. */

/** Shorter ones would turn up in ordinary words. */
const SHORTEST = 8
const STAR = '*'.charCodeAt(0)

export class HiddenCredentials {
  readonly #spellings: readonly string[]

  constructor(values: readonly (string | undefined)[]) {
    this.#spellings = [...new Set(values.flatMap(spellingsOf))]
  }

  /** The text with stars in place of credentials. */
  text(text: string): string {
    return this.#spellings.reduce(
      (hidden, each) =>
        hidden.includes(each) ? hidden.replaceAll(each, '*'.repeat(each.length)) : hidden,
      text,
    )
  }

  /** Overwrites credentials in the bytes, whose number stays the same. */
  overwrite(bytes: Buffer): Buffer {
    for (const each of this.#spellings) {
      for (let at = bytes.indexOf(each); at !== -1; at = bytes.indexOf(each, at)) {
        bytes.fill(STAR, at, at + Buffer.byteLength(each))
      }
    }
    return bytes
  }

  /** The same for parts of a whole: what may be the beginning of a credential waits for the next part. */
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

/** As it is, as JSON with escaped slashes, and in a URL; of `Basic …` and the like the second word. */
function spellingsOf(value: string | undefined): readonly string[] {
  const secret = value?.slice(value.lastIndexOf(' ') + 1) ?? ''
  if (secret.length < SHORTEST) return []
  const spellings = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
  return [...spellings, secret.replaceAll('/', '\\/')]
}
