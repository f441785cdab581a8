/** Fast path of 2026-07-28 and of direct calls: JSON, or what the SDK answers. */

import {
  type CallToolResult,
  type Implementation,
  isInputRequiredResult,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server'
import { Deadline } from '../deadlines.ts'
import type { ToolOutcome } from '../engine/run-tool.ts'
import { CLIENT_CLOSED_REQUEST } from '../errors.ts'
import { whenClosed } from '../http/when-closed.ts'
import type { CallTool } from '../mcp/call-tool.ts'
import { type DirectCalls, directAnswer } from '../mcp/direct/direct-calls.ts'
import type { McpEndpoint } from '../mcp/endpoint.ts'
import type { Limits } from '../mcp/limits.ts'
import { SILENCE_MS } from '../mcp/modern/modern-exchange.ts'
import type { RequestContexts } from '../mcp/request-context.ts'
import { type CallLines, isForPage, sendAnswer, writeAnswer } from './answer.ts'
import type { Call } from './fast-call.ts'
import type { HandOver } from './hand-over.ts'
import type { ToolMessage } from './message.ts'

interface RunDeps {
  readonly callTool: CallTool
  readonly limits: Limits
  readonly modern: McpEndpoint['modern']
  readonly direct: DirectCalls
  readonly handOver: HandOver
  readonly lines: CallLines
  /** The `serverInfo` of results. */
  readonly about: Implementation
}

/** Runs a call and answers it. Throws only what occurs before the tool runs; never rejects. */
export type RunCall = (call: Call, message: ToolMessage, contexts: RequestContexts) => void

export function createRunCall(deps: RunDeps): RunCall {
  const { callTool, limits, lines, handOver } = deps
  const serverInfo = { [SERVER_INFO_META_KEY]: deps.about }

  function answer(call: Call, { era, id }: ToolMessage, outcome: CallToolResult): void {
    if (call.outgoing.destroyed) {
      lines.request(call, CLIENT_CLOSED_REQUEST)
      return
    }
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
    sendAnswer(call, { jsonrpc: '2.0', id, result }, deps)
  }

  return async (call, message, contexts) => {
    try {
      holdSlots(limits, call, message, contexts.caller)
      if (message.client !== undefined) call.client = message.client
      const requestContext = contexts.stateless()
      const outcome = callTool(call, requestContext)
      const run = { message: message.request, requestContext, outcome }
      const silence = message.era === '2026' ? new Silence(deps, call, message, run) : undefined
      let result: ToolOutcome | undefined
      try {
        result = await outcome
      } catch {
        // The SDK answers with the error: `finishWithSdk`.
      }
      silence?.clear()
      if (call.respond !== undefined) return
      if (result === undefined || isInputRequiredResult(result)) {
        finishWithSdk(deps, call, message, run)
      } else {
        answer(call, message, result)
      }
    } catch (error) {
      handOver.error(call, error)
    }
  }
}

/** Shared by all calls: capturing a stack trace for each exception is expensive. */
const CALLER_GONE = new DOMException('The caller has gone, or has its answer', 'AbortError')

/** Holds slots until the response closes; a disconnect cancels (2026-07-28, basic/transports). */
function holdSlots(limits: Limits, call: Call, { era }: ToolMessage, caller: string): void {
  const { outgoing } = call
  const isAwaited = era !== 'direct'
  limits.calls.acquire(caller)
  try {
    if (isAwaited) limits.answers.acquire(caller)
  } catch (error) {
    limits.calls.release(caller)
    throw error
  }
  let isHeld = true
  const close = () => {
    if (!isHeld) return
    isHeld = false
    limits.calls.release(caller)
    if (isAwaited) limits.answers.release(caller)
    call.abort(CALLER_GONE)
  }
  if (outgoing.destroyed) close()
  else outgoing.on('close', close)
}

/** Makes the response of a call that runs for long an event stream. */
class Silence extends Deadline {
  readonly #finish: Parameters<typeof finishWithSdk>

  constructor(...finish: Parameters<typeof finishWithSdk>) {
    super(SILENCE_MS)
    this.#finish = finish
  }

  protected override due(): void {
    const [deps, call, message, run] = this.#finish
    finishWithSdk(deps, call, message, run, true)
  }
}

type Unfinished = Parameters<McpEndpoint['modern']['finish']>[1]

/** The SDK answers calls that fail, return `input_required`, or run for long (`streams`). */
function finishWithSdk(
  { handOver, direct, modern }: RunDeps,
  call: Call,
  { era }: ToolMessage,
  run: Unfinished,
  streams = false,
): void {
  const onClose = whenClosed(call.outgoing)
  if (era === 'direct') {
    handOver.direct(call, () => direct.finish({ ...run, onClose }))
  } else {
    handOver.answer(call, ({ req }) => modern.finish({ request: req.raw, onClose }, run, streams))
  }
}
