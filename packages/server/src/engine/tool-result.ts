/** What a tool answered, as the result that leaves: validated, masked, and as text. */

import type { CallToolResult } from '@modelcontextprotocol/server'
import { ZodError } from 'zod'
import { hideArguments } from '../output/hide-arguments.ts'
import type { OutputSchema } from '../output/output-schema.ts'
import { answerAsText, type TextFormat } from '../output/text.ts'
import type { CompiledTool } from './compile-tool.ts'
import type { HookOutcome } from './define-hook.ts'
import { ERROR_META_KEY, ToolError, type ToolErrorFacts } from './tool-error.ts'

/**
 * Makes the result; `given` are the arguments as they came, `input` as they were parsed.
 * @throws ToolError `invalid_output`
 */
export function toResult(
  { output, masks }: CompiledTool,
  given: unknown,
  input: unknown,
  answer: unknown,
  format: TextFormat,
): CallToolResult {
  // What a content tool answers is what its author chose to say.
  if (output === undefined) return { content: [...(answer as CallToolResult['content'])] }
  const structuredContent = parseAnswer(output, masks.input, [given, input], answer)
  const text = answerAsText(structuredContent, format)
  return { structuredContent, content: [{ type: 'text', text }] }
}

/** A result as hooks see it. */
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
  given: readonly [unknown, unknown],
  answer: unknown,
): Record<string, unknown> {
  try {
    const parsed = output.parse(answer)
    return inputMasks.size === 0 ? parsed : hideArguments(parsed, output, inputMasks, given)
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    throw new ToolError('The answer did not have the form this tool promises.', {
      code: 'invalid_output',
      cause: error,
    })
  }
}
