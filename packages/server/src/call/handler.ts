/**
 * Handles MCP POST requests before Hono, in the order of the checks: headers, authentication, rate
 * limit, body, scopes. A plain tool call takes the fast path, which runs its tool and answers with
 * the result; Hono and the SDK handle all others.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequireScopes } from '../auth/scopes.ts'
import type { Identify } from '../http/bearer.ts'
import type { CallRates } from '../http/rate-limit.ts'
import { asRequested } from '../http/request-target.ts'
import type { McpSession } from '../mcp/legacy/mcp-session-record.ts'
import type { RequestContexts } from '../mcp/request-context.ts'
import type { Caller } from '../session/caller.ts'
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
import type { RunCall } from './run-call.ts'
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
