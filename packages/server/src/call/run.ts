/** Fast path: runs the tool of a plain call and answers with its result, without the SDK. */

import {
  type CallToolResult,
  type Implementation,
  isInputRequiredResult,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server'
import type { ToolOutcome } from '../engine/run-tool.ts'
import { whenClosed } from '../http/when-closed.ts'
import type { CallTool } from '../mcp/call-tool.ts'
import { type DirectCalls, directAnswer } from '../mcp/direct/direct-calls.ts'
import type { McpEndpoint } from '../mcp/endpoint.ts'
import type { Limits } from '../mcp/limits.ts'
import { JsonAnswer } from '../mcp/mcp-answer.ts'
import type { RequestContexts } from '../mcp/request-context.ts'
import { isForPage, writeAnswer } from './answer.ts'
import type { Call } from './fast-call.ts'
import type { HandOver } from './hand-over.ts'
import type { CallLines } from './lines.ts'
import type { ToolMessage } from './message.ts'
import { McpSessionRun, type McpSessionRunDeps } from './run-on-mcp-session.ts'

export interface RunDeps {
  readonly callTool: CallTool
  readonly limits: Limits
  readonly modern: McpEndpoint['modern']
  readonly direct: DirectCalls
  readonly handOver: HandOver
  readonly lines: CallLines
  /** The `serverInfo` of results. */
  readonly about: Implementation
}

/** Shared by all calls: capturing a stack trace for each exception is expensive. */
const CALLER_GONE = new DOMException('The caller has gone, or has its answer', 'AbortError')

export type RunCall = (call: Call, message: ToolMessage, contexts: RequestContexts) => Promise<void>

export function createRunCall(deps: RunDeps): RunCall {
  const { callTool, limits, lines, handOver } = deps
  const serverInfo = { [SERVER_INFO_META_KEY]: deps.about }

  /** Holds slots until the response closes; a disconnect cancels (2026-07-28, basic/transports). */
  function holdPlaces(call: Call, { era }: ToolMessage, caller: string): void {
    const { outgoing } = call
    const isAwaited = era !== 'direct'
    limits.calls.take(caller)
    try {
      if (isAwaited) limits.answers.take(caller)
    } catch (error) {
      limits.calls.give(caller)
      throw error
    }
    let isHeld = true
    const close = () => {
      if (!isHeld) return
      isHeld = false
      limits.calls.give(caller)
      if (isAwaited) limits.answers.give(caller)
      call.abort(CALLER_GONE)
    }
    if (outgoing.destroyed) close()
    else outgoing.on('close', close)
  }

  /** The SDK answers calls that fail or return `input_required`. */
  function finishWithSdk(call: Call, message: ToolMessage, run: Parameters<Finish>[1]): void {
    const onClose = whenClosed(call.outgoing)
    if (message.era === 'direct') {
      handOver.direct(call, () => deps.direct.finish({ ...run, onClose }))
    } else {
      handOver.answer(call, ({ req }) => deps.modern.finish({ request: req.raw, onClose }, run))
    }
  }

  function answer(call: Call, { era, id }: ToolMessage, outcome: CallToolResult): void {
    // Safe to mutate: the engine creates the result for this call.
    const result = outcome as CallToolResult & { resultType: 'complete' }
    result.resultType = 'complete'
    result._meta = outcome._meta === undefined ? serverInfo : { ...outcome._meta, ...serverInfo }
    if (era === 'direct') {
      const direct = directAnswer('tools/call', result)
      if (direct.kind !== 'result' || isForPage(call)) handOver.direct(call, async () => direct)
      else writeAnswer(call, direct.result, lines)
      return
    }
    const said = { jsonrpc: '2.0', id, result } as const
    if (isForPage(call)) handOver.answer(call, async () => new JsonAnswer(said))
    else writeAnswer(call, said, lines)
  }

  return async (call, message, contexts) => {
    holdPlaces(call, message, contexts.caller)
    if (message.client !== undefined) call.client = message.client
    const requestContext = contexts.stateless()
    const outcome = callTool(call, requestContext)
    let result: ToolOutcome | undefined
    try {
      result = await outcome
    } catch {
      // The SDK answers with the error: `finishWithSdk`.
    }
    if (result === undefined || isInputRequiredResult(result)) {
      finishWithSdk(call, message, { message: message.request, requestContext, outcome })
    } else {
      answer(call, message, result)
    }
  }
}

type Finish = McpEndpoint['modern']['finish']

/** The fast path of the 2025 era. */
export function createRunOnMcpSession(deps: McpSessionRunDeps): RunCall {
  return async (call, message, contexts) => {
    const mcpSession = await deps.legacy.find({
      version: call.incoming.headers['mcp-protocol-version'] as string | undefined,
      id: call.mcpSessionId,
      owner: call.caller?.kind === 'token' ? call.caller.session : undefined,
      ahead: call.mcpSession,
    })
    const run = new McpSessionRun(deps, call, message, mcpSession, contexts)
    call.client = run
    await run.answer(contexts.mcpSession(mcpSession))
  }
}
