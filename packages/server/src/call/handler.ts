/**
 * Handles MCP POST requests before Hono, in the order of the checks: headers, authentication, rate
 * limit, body, scopes. A plain tool call takes the fast path; Hono and the SDK handle all others.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticate } from '../auth/authenticate.ts'
import type { RequireScopes } from '../auth/scopes.ts'
import { type CallRates, identify } from '../http/rate-limit.ts'
import { asRequested } from '../http/request-target.ts'
import { type BodyOptions, checkHeaders, parseBody, type ReadBytes, readEarly } from './body.ts'
import { Call, type CallParts, type PostRoute } from './fast-call.ts'
import type { HandOver } from './hand-over.ts'
import type { FindToolMessage } from './message.ts'
import type { RunCall } from './run.ts'

export interface CallHandlerDeps {
  readonly routes: ReadonlyMap<string, PostRoute>
  /** The path of a URL's route. */
  readonly labelOf: (url: string) => string
  readonly parts: CallParts
  readonly options: BodyOptions
  readonly rates: CallRates
  readonly authenticate: Authenticate
  readonly requireScopes: RequireScopes
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
    const { incoming, route } = call
    const length = checkHeaders(incoming.headers, options)
    await nextTurn()
    readEarly(call, length, readBytes)
    const caller = await identify(deps, call, route)
    try {
      const bytes = call.early ?? readBytes(call)
      call.early = undefined
      parseBody(call, bytes instanceof Buffer ? bytes : await bytes, options)
    } catch (error) {
      await rates.countRefusedBody(call, error)
      throw error
    }
    const counting = rates.countBody(call)
    if (counting !== undefined) await counting
    deps.requireScopes(caller, call.body, route.resource)
    const message = deps.findMessage(call.body, incoming.headers, route.path)
    if (message === undefined || deps.isHidden(message.name, call)) {
      handOver.sdk(call)
      return
    }
    call.message = message
    const run = message.era === '2025' ? deps.runOnMcpSession : deps.run
    run(call, message, call.contexts()).catch((error: unknown) => handOver.error(call, error))
  }

  return (incoming, outgoing) => {
    if (incoming.method !== 'POST') return false
    const { url = '/' } = incoming
    const route = routes.get(url) ?? routes.get(labelOf(url))
    if (route === undefined) return false
    const call = new Call(incoming, outgoing, asSpelled(incoming, route), deps.parts)
    answer(call).catch((error: unknown) => handOver.error(call, error))
    return true
  }
}

/** Returns the resource in the spelling of the request: clients compare it with their own URL. */
function asSpelled(incoming: IncomingMessage, route: PostRoute): PostRoute {
  const resource = asRequested(incoming, route.resource)
  return resource === route.resource ? route : { ...route, resource }
}

let turn: Promise<void> | undefined

/**
 * Batches continuations: all calls that arrive in one turn of the event loop resume in the same
 * `setImmediate`. Under load the CPU then runs one step for many calls in a row, from warm caches.
 */
function nextTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined
      resolve()
    })
  })
  return turn
}
