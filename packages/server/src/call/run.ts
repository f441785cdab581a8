/** Runs the tool of a plain call of the 2026 era, or of a direct one, and answers with its result. */

import {
  type CallToolResult,
  type Implementation,
  isInputRequiredResult,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server'
import type { ToolOutcome } from '../engine/run-tool.ts'
import { whenClosed } from '../http/when-closed.ts'
import { JsonAnswer } from '../mcp/answer.ts'
import type { CallTool } from '../mcp/call-tool.ts'
import { type DirectCalls, directAnswer } from '../mcp/direct/direct-calls.ts'
import type { McpEndpoint } from '../mcp/endpoint.ts'
import type { Limits } from '../mcp/limits.ts'
import type { RequestOrigins } from '../mcp/origin.ts'
import { isForPage, writeAnswer } from './answer.ts'
import type { Call } from './call.ts'
import type { HandOver } from './hand-over.ts'
import type { CallLines } from './lines.ts'
import type { ToolMessage } from './message.ts'

export interface RunDeps {
  readonly callTool: CallTool
  readonly limits: Limits
  readonly modern: McpEndpoint['modern']
  readonly direct: DirectCalls
  readonly handOver: HandOver
  readonly lines: CallLines
  /** The `serverInfo` of answers. */
  readonly about: Implementation
}

/** One for all: an exception of its own has a stack, which is dear. */
const CALLER_GONE = new DOMException('The caller has gone, or has its answer', 'AbortError')

export type RunCall = (call: Call, message: ToolMessage, origins: RequestOrigins) => Promise<void>

export function createRunCall(deps: RunDeps): RunCall {
  const { callTool, limits, lines, handOver } = deps
  const serverInfo = { [SERVER_INFO_META_KEY]: deps.about }

  /** 2026-07-28, basic/transports: a request lasts as long as its answer, and a disconnect cancels it. */
  function holdPlaces(call: Call, { era }: ToolMessage, caller: string): void {
    const { outgoing } = call
    const release = limits.call(caller)
    const releaseAnswer = era === 'direct' ? undefined : takeAnswer(release, caller)
    const close = () => {
      release()
      releaseAnswer?.()
      call.abort(CALLER_GONE)
    }
    if (outgoing.destroyed) close()
    else outgoing.once('close', close)
  }

  function takeAnswer(release: () => void, caller: string): () => void {
    try {
      return limits.answer(caller)
    } catch (error) {
      release()
      throw error
    }
  }

  /** What comes to something else than a result is the SDK's to answer. */
  function finishWithSdk(call: Call, message: ToolMessage, run: Parameters<Finish>[1]): void {
    const onClose = whenClosed(call.outgoing)
    if (message.era === 'direct') {
      handOver.direct(call, () => deps.direct.finish({ ...run, onClose }))
    } else {
      handOver.answer(call, ({ req }) => deps.modern.finish({ request: req.raw, onClose }, run))
    }
  }

  function answer(call: Call, { era, id }: ToolMessage, outcome: CallToolResult): void {
    const _meta = outcome._meta === undefined ? serverInfo : { ...outcome._meta, ...serverInfo }
    // Nobody else has it: the engine made it for this call.
    const result = Object.assign(outcome, { resultType: 'complete' as const, _meta })
    if (era === 'direct') {
      const direct = directAnswer('tools/call', result)
      if (direct.kind !== 'result' || isForPage(call)) handOver.direct(call, async () => direct)
      else write(call, direct.result)
      return
    }
    const said = { jsonrpc: '2.0', id, result }
    if (isForPage(call)) handOver.answer(call, async () => new JsonAnswer(said))
    else write(call, said)
  }

  function write(call: Call, said: object): void {
    writeAnswer(call, said)
    lines.request(call)
  }

  return async (call, message, origins) => {
    holdPlaces(call, message, origins.caller)
    if (message.client !== undefined) call.client = message.client
    const origin = origins.stateless()
    const outcome = callTool(call, origin)
    const result = await settled(outcome)
    if (result === undefined || isInputRequiredResult(result)) {
      finishWithSdk(call, message, { message: message.request, origin, outcome })
    } else {
      answer(call, message, result)
    }
  }
}

type Finish = McpEndpoint['modern']['finish']

/** Undefined for a call that could not be served. */
export async function settled(outcome: Promise<ToolOutcome>): Promise<ToolOutcome | undefined> {
  try {
    return await outcome
  } catch {
    return undefined
  }
}
