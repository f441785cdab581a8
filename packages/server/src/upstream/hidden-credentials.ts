/** Redacts a request's credentials from the response, since some APIs echo what they received. */

import { lowerCaseEscapes } from '../logger/secret-values.ts'

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

  /**
   * Overwrites credentials in JSON, also where it escapes their characters: serializers of .NET write
   * `+` as `\u002B`, those of Java `=` as `\u003d`. Returns other JSON unchanged.
   */
  overwriteJson(json: Buffer): Buffer {
    const bytes = this.overwrite(json)
    if (this.#spellings.length === 0 || !bytes.includes(UNICODE_ESCAPE)) return bytes
    const plain = withoutEscapes(bytes)
    return this.#spellings.some((each) => plain.includes(each)) ? this.overwrite(plain) : bytes
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

const UNICODE_ESCAPE = '\\u'
/** A visible ASCII character; also matches escaped backslashes, to skip a literal `\\u002B`. */
const ESCAPED = /\\\\|\\u00([2-7][\da-f])/gi

/** Writes visible ASCII characters plainly (RFC 8259, section 7). Latin-1 keeps all other bytes. */
function withoutEscapes(json: Buffer): Buffer {
  const text = json.toString('latin1').replace(ESCAPED, (found, hex?: string) => {
    if (hex === undefined) return found
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return character === '"' || character === '\\' ? `\\${character}` : character
  })
  return Buffer.from(text, 'latin1')
}

/** The secret, verbatim and in JSON and URL encoding; without a scheme such as `Basic`. */
function spellingsOf(value: string | undefined): readonly string[] {
  const secret = value?.slice(value.lastIndexOf(' ') + 1) ?? ''
  if (secret.length < SHORTEST) return []
  const inUrls = encodeURIComponent(secret)
  const spellings = [secret, JSON.stringify(secret).slice(1, -1), inUrls, lowerCaseEscapes(inUrls)]
  return [...spellings, secret.replaceAll('/', '\\/')]
}
