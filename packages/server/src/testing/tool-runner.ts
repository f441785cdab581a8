/**
 * For tests of tools: runs one through the real engine and a real session, without a server.
 *
 *     const result = await callTool(service, {}, {
 *       signedInAs: { sub: 'ada' },
 *       upstream: { 'GET /accounts/{id}': { owner: 'Ada', … } },
 *     })
 *     expect(result.structuredContent).toEqual({ … })
 */

import type { CallToolResult } from '@modelcontextprotocol/server'
import { compileTool } from '../engine/compile-tool.ts'
import type { AnyTool } from '../engine/define-tool.ts'
import type { Env } from '../engine/env.ts'
import { runTool } from '../engine/run-tool.ts'
import { ERROR_META_KEY, type ToolErrorFacts, toolErrorResult } from '../engine/tool-error.ts'
import type { TextFormat } from '../engine/tool-result.ts'
import type { ArgumentsMode } from '../engine/validate-input.ts'
import { telemetry } from './no-telemetry.ts'
import { type PersonOptions, type PersonRunFacts, runAsPerson } from './person-runner.ts'

export interface CallToolOptions<E extends Env = Env> extends PersonOptions<E> {
  /** `json` by default. */
  readonly textFormat?: TextFormat
  /** Whether invalid arguments are coerced; `lenient` by default, as in the server. */
  readonly arguments?: ArgumentsMode
}

export interface ToolRun extends PersonRunFacts {
  readonly structuredContent: Readonly<Record<string, unknown>> | undefined
  /** `_meta` of the result; an error's facts are `code` and `retryAfterSeconds`. */
  readonly meta: Readonly<Record<string, unknown>>
  /** The content for the model, part by part; for a content tool, its full answer. */
  readonly content: CallToolResult['content']
  /** The texts of `content`, joined by line breaks. */
  readonly text: string
  readonly isError: boolean
  /** The error code; undefined for a successful call. */
  readonly code: string | undefined
  /** When to retry, if the error says so. */
  readonly retryAfterSeconds: number | undefined
}

/**
 * Calls a tool as the server does. A tool that the caller may not see is unknown: `tool_not_found`.
 * @throws Error if the tool makes an upstream request without an answer in `options.upstream`
 */
export async function callTool<E extends Env>(
  tool: AnyTool<E>,
  input: Readonly<Record<string, unknown>>,
  options: CallToolOptions<NoInfer<E>> = {},
): Promise<ToolRun> {
  const compiled = compileTool(tool as AnyTool)
  const { result, ...facts } = await runAsPerson(tool, input, options, {
    run: (call, settings) => runTool(compiled, call, settings, telemetry),
    unknown: () => toolErrorResult('tool_not_found', 'Unknown tool'),
    unanswered: 'cancels',
  })
  return { ...answered(result), ...facts }
}

/** The parts of a call's result. */
function answered({ structuredContent, content, isError = false, _meta = {} }: CallToolResult) {
  const { [ERROR_META_KEY]: error, ...meta } = _meta
  const facts = isError ? (error as Partial<ToolErrorFacts> | undefined) : undefined
  return {
    structuredContent: structuredContent as ToolRun['structuredContent'],
    content,
    meta,
    text: content.map((part) => ('text' in part ? part.text : '')).join('\n'),
    isError,
    code: facts?.code,
    retryAfterSeconds: facts?.retryAfterSeconds,
  }
}
