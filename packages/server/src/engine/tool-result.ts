/** Converts a tool's return value to the result: validated, masked, and as text. */

import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server'
import { ZodError } from 'zod'
import { hideArguments } from '../output/hide-arguments.ts'
import type { OutputSchema } from '../output/output-schema.ts'
import type { Redactor } from '../output/redactor.ts'
import { answerAsText, type TextFormat } from '../output/text.ts'
import type { CompiledTool } from './compile-tool.ts'
import type { HookOutcome } from './define-hook.ts'
import { Answer, scrubContent, scrubMeta } from './tool-answer.ts'
import { ERROR_META_KEY, ToolError, type ToolErrorFacts } from './tool-error.ts'

/** The call's arguments, redactor and text format. */
export interface ResultParts {
  /** The raw arguments. */
  readonly given: unknown
  /** The parsed arguments. */
  readonly input: unknown
  readonly redactor: Redactor
  readonly format: TextFormat
}

/**
 * Creates the result from the return value of `run`.
 * @throws ToolError `invalid_output`
 */
export function toResult(tool: CompiledTool, answer: unknown, parts: ResultParts): CallToolResult {
  if (answer instanceof Answer) return toMixedResult(tool, answer, parts)
  // Content tools are not masked.
  if (tool.output === undefined) return { content: [...(answer as readonly ContentBlock[])] }
  const structuredContent = parseAnswer(tool.output, tool.masks.input, parts, answer)
  return { structuredContent, content: [asText(structuredContent, parts.format)] }
}

function toMixedResult(
  { output, masks }: CompiledTool,
  { data, content, meta }: Answer<unknown>,
  parts: ResultParts,
): CallToolResult {
  const { redactor, format } = parts
  const _meta = meta && { _meta: scrubMeta(meta, redactor) }
  if (output === undefined) return { content: [...content], ..._meta }
  const structuredContent = parseAnswer(output, masks.input, parts, data)
  const blocks = scrubContent(content, redactor)
  const hasText = blocks.some(({ type }) => type === 'text')
  const text = hasText ? [] : [asText(structuredContent, format)]
  return { structuredContent, content: [...text, ...blocks], ..._meta }
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
  { given, input }: ResultParts,
  answer: unknown,
): unknown {
  try {
    const parsed = output.parse(answer)
    return inputMasks.size === 0
      ? parsed
      : hideArguments(parsed, output, inputMasks, [given, input])
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    throw new ToolError('The answer does not match the output schema of this tool.', {
      code: 'invalid_output',
      cause: error,
    })
  }
}
