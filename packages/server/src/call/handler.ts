/**
 * Handles MCP POST requests before Hono, in the order of the checks: headers, authentication, rate
 * limit, body, scopes. A plain tool call takes the fast path, which runs its tool and answers with
 * the result; Hono and the SDK handle all others.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type CallToolResult,
  type Implementation,
  isInputRequiredResult,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server'
import type { RequireScopes } from '../auth/scopes.ts'
import type { Identify } from '../http/bearer.ts'
import { CLIENT_LEFT } from '../http/observe-requests.ts'
import type { CallRates } from '../http/rate-limit.ts'
import { asRequested } from '../http/request-target.ts'
import { whenClosed } from '../http/when-closed.ts'
import type { CallTool } from '../mcp/call-tool.ts'
import { type DirectCalls, directAnswer } from '../mcp/direct/direct-calls.ts'
import type { McpEndpoint } from '../mcp/endpoint.ts'
import type { McpSession } from '../mcp/legacy/mcp-session-record.ts'
import type { Limits } from '../mcp/limits.ts'
import { settled } from '../mcp/modern/modern-exchange.ts'
import type { RequestContexts } from '../mcp/request-context.ts'
import type { Caller } from '../session/caller.ts'
import { type CallLines, isForPage, sendAnswer, writeAnswer } from './answer.ts'
import { Call, type CallParts, nextBatch, type PostRoute } from './fast-call.ts'
import type { HandOver } from './hand-over.ts'
import {
  type BodyOptions,
  checkHeaders,
  type FindToolMessage,
  parseBody,
  type ReadBytes,
  readEarly,
  type ToolMessage,
} from './message.ts'
import { McpSessionRun, type McpSessionRunDeps } from './run-on-mcp-session.ts'

interface CallHandlerDeps {
  readonly routes: ReadonlyMap<string, PostRoute>
  /** The path of a URL's route. */
  readonly labelOf: (url: string) => string
  readonly parts: CallParts
  readonly options: BodyOptions
  readonly rates: CallRates | undefined
  readonly identify: Identify
  readonly requireScopes: RequireScopes | undefined
  readonly readBytes: ReadBytes
  /** Returns undefined for every call if the fast path is off. */
  readonly findMessage: FindToolMessage
  /** Whether a tool is hidden from the caller: the SDK answers that the tool is unknown. */
  readonly isHidden: (tool: string, call: Call) => boolean
  readonly run: RunCall
  readonly runOnMcpSession: RunCall
  readonly handOver: HandOver
}

/** Handles a request; returns false if it is not a POST to an MCP route. */
export type CallHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean

export function createCallHandler(deps: CallHandlerDeps): CallHandler {
  const { routes, labelOf, options, rates, readBytes, handOver } = deps

  async function answer(call: Call): Promise<void> {
    try {
      await nextBatch()
      readEarly(call, checkHeaders(call.incoming.headers, options), readBytes)
      const caller = await deps.identify(call, call.route)
      try {
        const bytes = call.early ?? readBytes(call)
        call.early = undefined
        parseBody(call, bytes instanceof Buffer ? bytes : await bytes, options)
      } catch (error) {
        await rates?.countRefusedBody(call, error)
        throw error
      }
      const counting = rates?.countBody(call)
      if (counting !== undefined) await counting
      run(call, caller)
    } catch (error) {
      handOver.error(call, error)
    }
  }

  function run(call: Call, caller: Caller): void {
    const { incoming, route, body } = call
    deps.requireScopes?.(caller, body, route.resource)
    const message = deps.findMessage(body, incoming.headers, route.path)
    if (message === undefined || deps.isHidden(message.name, call)) {
      handOver.sdk(call)
      return
    }
    call.message = message
    if (message.era === '2025') deps.runOnMcpSession(call, message, call.contexts())
    else deps.run(call, message, call.contexts())
  }

  return (incoming, outgoing) => {
    if (incoming.method !== 'POST') return false
    const { url = '/' } = incoming
    const route = routes.get(url) ?? routes.get(labelOf(url))
    if (route === undefined) return false
    const call = new Call(incoming, outgoing, asSpelled(incoming, route), deps.parts)
    void answer(call)
    return true
  }
}

/** Returns the resource in the spelling of the request: clients compare it with their own URL. */
function asSpelled(incoming: IncomingMessage, route: PostRoute): PostRoute {
  const resource = asRequested(incoming, route.resource)
  return resource === route.resource ? route : { ...route, resource }
}

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
type RunCall = (call: Call, message: ToolMessage, contexts: RequestContexts) => void

export function createRunCall(deps: RunDeps): RunCall {
  const { callTool, limits, lines, handOver } = deps
  const serverInfo = { [SERVER_INFO_META_KEY]: deps.about }

  function answer(call: Call, { era, id }: ToolMessage, outcome: CallToolResult): void {
    if (call.outgoing.destroyed) {
      lines.request(call, CLIENT_LEFT)
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
      const stream = () => finishWithSdk(deps, call, message, run, true)
      const result = await settled(outcome, message.era === '2026' ? stream : undefined)
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

/** The fast path of the 2025 era. */
export function createRunOnMcpSession(deps: McpSessionRunDeps): RunCall {
  function runOn(
    call: Call,
    message: ToolMessage,
    contexts: RequestContexts,
    found: McpSession,
  ): void {
    const run = new McpSessionRun(deps, call, message, found, contexts)
    call.client = run
    void run.answer(contexts.mcpSession(found))
  }

  return (call, message, contexts) => {
    const reference = {
      version: call.incoming.headers['mcp-protocol-version'] as string | undefined,
      id: call.mcpSessionId,
      owner: call.caller?.kind === 'token' ? call.caller.session : undefined,
      prefetched: call.mcpSession,
    }
    const finding = deps.findMcpSession(reference, true)
    if (!(finding instanceof Promise)) return runOn(call, message, contexts, finding)
    finding
      .then((found) => runOn(call, message, contexts, found))
      .catch((error: unknown) => deps.handOver.error(call, error))
  }
}
