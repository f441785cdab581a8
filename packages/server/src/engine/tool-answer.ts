/** A tool's return value with data, content blocks and metadata. */

import type { ContentBlock } from '@modelcontextprotocol/server'
import type { Redactor } from '../output/redactor.ts'
import { type Meta, metaFault } from './meta.ts'
import { scrubValue } from './scrub-value.ts'

interface Extras {
  /**
   * Blocks such as images, resource links and text. Without a text block, the data is prepended as
   * text. Values are masked in all fields except `data` and `blob`.
   */
  readonly content?: readonly ContentBlock[]
  /** `_meta` of the result; keys have a prefix, such as `example.com/version`. Masked like text. */
  readonly meta?: Meta
}

/** The return type of `answer`. */
export class Answer<Data> {
  readonly #data: Data
  readonly #extras: Extras

  constructor(data: Data, extras: Extras) {
    this.#data = data
    this.#extras = extras
  }

  get data(): Data {
    return this.#data
  }

  get content(): readonly ContentBlock[] {
    return this.#extras.content ?? []
  }

  get meta(): Meta | undefined {
    return this.#extras.meta
  }
}

/**
 * Combines data, content blocks and metadata into one return value of `run`. The data is validated
 * and masked like a plain return value.
 * @throws TypeError for a key of `meta` without a prefix, or with a reserved one
 */
export function answer<Data>(parts: { readonly data: Data } & Extras): Answer<Data>
export function answer(parts: { readonly content: readonly ContentBlock[] } & Extras): Answer<never>
export function answer({ data, ...extras }: { readonly data?: unknown } & Extras): Answer<unknown> {
  const fault = metaFault(extras.meta)
  if (fault !== undefined) throw new TypeError(fault)
  return new Answer(data, extras)
}

/** Maximum nesting of masked metadata; deeper levels are truncated. */
const DEEPEST = 64

/** Base64, which contains a masked value only by chance. */
const BINARY = new Set(['data', 'blob'])

/** Masks values in every text, name and URI of the blocks. */
export function scrubContent(
  content: readonly ContentBlock[],
  redactor: Redactor,
): readonly ContentBlock[] {
  if (!redactor.hides()) return content
  return content.map((block) => scrubBlock(block, redactor) as unknown as ContentBlock)
}

function scrubBlock(block: object, redactor: Redactor): Record<string, unknown> {
  const fields = Object.entries(block).map(([name, value]) => {
    if (BINARY.has(name) && typeof value === 'string') return [name, value]
    const isResource = name === 'resource' && typeof value === 'object' && value !== null
    if (isResource) return [name, scrubBlock(value, redactor)]
    return [name, name === 'type' ? value : scrubValue(value, redactor, DEEPEST)]
  })
  return Object.fromEntries(fields) as Record<string, unknown>
}

/** Masks values in metadata. */
export function scrubMeta(meta: Meta, redactor: Redactor): Record<string, unknown> {
  const scrubbed = redactor.hides() ? scrubValue(meta, redactor, DEEPEST) : { ...meta }
  return scrubbed as Record<string, unknown>
}
