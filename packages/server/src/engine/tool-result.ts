/**
 * Converts a tool's return value, plain or with content blocks and metadata (`answer`), to the
 * result: validated, masked, and as text (JSON, or TOON, which needs fewer tokens for tables).
 */

import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server'
import { encode } from '@toon-format/toon'
import { ZodError } from 'zod'
import { hideArguments } from '../output/hide-arguments.ts'
import type { Redactor } from '../output/mask.ts'
import type { OutputSchema } from '../output/output-schema.ts'
import { toWellFormedJson } from '../well-formed.ts'
import type { CompiledTool } from './compile-tool.ts'
import { checkBlocks } from './content-blocks.ts'
import type { HookOutcome } from './define-hook.ts'
import { type Meta, metaFault } from './meta.ts'
import type { Run } from './run-context.ts'
import { scrubValue } from './scrub-value.ts'
import { ERROR_META_KEY, ToolError, type ToolErrorFacts } from './tool-error.ts'

/**
 * Creates the result from the return value of `run`.
 * @throws ToolError `invalid_output`, `result_too_large`
 */
export function toResult(
  tool: CompiledTool,
  answer: unknown,
  run: Run,
  format: TextFormat,
): CallToolResult {
  if (answer instanceof Answer) return toMixedResult(tool, answer, run, format)
  // Content tools are not masked.
  if (tool.output === undefined) return within(run, { content: checkBlocks(answer) })
  const structuredContent = parseAnswer(tool.output, tool.masks.input, run, answer)
  const content = [asText(structuredContent, format)]
  return within(run, { structuredContent, content }, uncounted(structuredContent, format))
}

const NO_MORE: readonly object[] = []

/** The data, unless it is as long as its text, which is counted: TOON can be far shorter. */
function uncounted(structuredContent: unknown, format: TextFormat): readonly object[] {
  return format === 'json' ? NO_MORE : [{ structuredContent }]
}

/** Returns the result. `more` counts besides its content. @throws ToolError `result_too_large` */
function within({ settings }: Run, result: CallToolResult, more = NO_MORE): CallToolResult {
  checkResultSize(result.content, settings.resultLimitBytes, more)
  return result
}

/**
 * Limits a result, which a node holds several times, and the store while it may be resumed.
 * @throws ToolError `result_too_large`
 */
export function checkResultSize(
  content: readonly object[],
  limitBytes = Number.POSITIVE_INFINITY,
  more = NO_MORE,
): void {
  let bytes = 0
  for (const part of content) bytes += bytesOf(part)
  for (const part of more) bytes += bytesOf(part)
  if (bytes <= limitBytes) return
  throw new ToolError(
    `The result of ${bytes} bytes exceeds the limit of ${limitBytes} bytes. Request less, such as fewer items or a smaller page.`,
    { code: 'result_too_large' },
  )
}

/** Bytes in UTF-8: of the text of a text block, of the JSON of all others. */
function bytesOf(part: object): number {
  const { type, text } = part as { readonly type?: unknown; readonly text?: unknown }
  const isText = type === 'text' && typeof text === 'string'
  return Buffer.byteLength(isText ? text : JSON.stringify(part))
}

function toMixedResult(
  { output, masks }: CompiledTool,
  { data, content, meta }: Answer<unknown>,
  run: Run,
  format: TextFormat,
): CallToolResult {
  const { redactor } = run
  const _meta = meta && { _meta: scrubMeta(meta, redactor) }
  const more = meta === undefined ? NO_MORE : [meta]
  if (output === undefined) return within(run, { content: checkBlocks(content), ..._meta }, more)
  const structuredContent = parseAnswer(output, masks.input, run, data)
  const blocks = scrubContent(checkBlocks(content), redactor)
  const hasText = blocks.some(({ type }) => type === 'text')
  const text = hasText ? [] : [asText(structuredContent, format)]
  const result = { structuredContent, content: [...text, ...blocks], ..._meta }
  const counted = hasText ? [{ structuredContent }] : uncounted(structuredContent, format)
  return within(run, result, [...more, ...counted])
}

function asText(value: unknown, format: TextFormat) {
  return { type: 'text', text: answerAsText(value, format) } as const
}

/** The result as passed to hooks. */
export function hookOutcomeOf(result: CallToolResult): HookOutcome {
  const { structuredContent, content, isError, _meta } = result
  if (isError !== true) {
    return {
      status: 'ok',
      content,
      structuredContent: structuredContent as Readonly<Record<string, unknown>> | undefined,
    }
  }
  const { code = 'tool_failed' } = (_meta?.[ERROR_META_KEY] ?? {}) as Partial<ToolErrorFacts>
  const [said] = content
  return { status: 'error', code, message: said !== undefined && 'text' in said ? said.text : '' }
}

function parseAnswer(
  output: OutputSchema,
  inputMasks: CompiledTool['masks']['input'],
  run: Run,
  answer: unknown,
): unknown {
  try {
    const parsed = output.parse(answer)
    return inputMasks.size === 0 ? parsed : hideArguments(parsed, answer, output, inputMasks, run)
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    throw new ToolError('The answer does not match the output schema of this tool.', {
      code: 'invalid_output',
      cause: error,
    })
  }
}

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
function scrubContent(
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
function scrubMeta(meta: Meta, redactor: Redactor): Record<string, unknown> {
  const scrubbed = redactor.hides() ? scrubValue(meta, redactor, DEEPEST) : { ...meta }
  return scrubbed as Record<string, unknown>
}

export type TextFormat = 'json' | 'toon'

/** Serializes a masked result as text for the model; a string stays unchanged. */
export function answerAsText(answer: unknown, format: TextFormat): string {
  if (typeof answer === 'string') return answer.toWellFormed()
  const json = toWellFormedJson(answer)
  // Goes through JSON, because TOON would encode undefined fields as null.
  return format === 'toon' ? encode(JSON.parse(json)) : json
}
