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
import { ERROR_META_KEY, type ToolErrorFacts } from '../engine/tool-error.ts'
import type { ArgumentsMode } from '../engine/validate-input.ts'
import type { TextFormat } from '../output/text.ts'
import { type PersonOptions, type PersonRunFacts, runAsPerson } from './person-runner.ts'
import { telemetry } from './telemetry.ts'

export interface CallToolOptions<E extends Env = Env> extends PersonOptions<E> {
  /** `json` if left out. */
  readonly textFormat?: TextFormat
  /** Whether arguments are rewritten where they do not fit; `lenient` if left out, as in the server. */
  readonly arguments?: ArgumentsMode
}

export interface ToolRun extends PersonRunFacts {
  readonly structuredContent: Readonly<Record<string, unknown>> | undefined
  /** `_meta` of the result; an error's facts are `code` and `retryAfterSeconds`. */
  readonly meta: Readonly<Record<string, unknown>>
  /** What the model reads, part by part: of a content tool all that it answered. */
  readonly content: CallToolResult['content']
  /** The texts of `content`, one below the other. */
  readonly text: string
  readonly isError: boolean
  /** The error's code; undefined for a call that worked. */
  readonly code: string | undefined
  /** When to try again, where the error says. */
  readonly retryAfterSeconds: number | undefined
}

/**
 * Calls a tool as the server does.
 * @throws Error when the tool makes an upstream request that `options.upstream` has no answer for
 */
export async function callTool<E extends Env>(
  tool: AnyTool<E>,
  input: Readonly<Record<string, unknown>>,
  options: CallToolOptions<NoInfer<E>> = {},
): Promise<ToolRun> {
  const compiled = compileTool(tool as AnyTool)
  const { result, ...facts } = await runAsPerson(
    tool,
    input,
    options,
    (call, settings) => runTool(compiled, call, settings, telemetry),
    'cancels',
  )
  return { ...answered(result), ...facts }
}

/** What a call came to, in parts. */
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
