/**
 * Takes the POSTs of callers before Hono: the order of its lines is the order of a call. A plain call
 * is answered from here; everything else is handed over with its body, its caller and its connection.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticate } from '../auth/authenticate.ts'
import type { RequireScopes } from '../auth/required-scopes.ts'
import { type CallRates, identify } from '../http/rate-limit.ts'
import { asRequested } from '../http/request-target.ts'
import { type BodyOptions, checkHeaders, parseBody, type ReadBytes, readEarly } from './body.ts'
import { Call, type CallParts, type PostRoute } from './call.ts'
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
  /** Finds no message where every call is the SDK's. */
  readonly findMessage: FindToolMessage
  /** Whether the caller does not see a tool: the SDK says that there is none of that name. */
  readonly isHidden: (tool: string, call: Call) => boolean
  readonly run: RunCall
  readonly runOnConnection: RunCall
  readonly handOver: HandOver
}

/** Answers a request; false for one that is not a POST of a caller. */
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
    const run = message.era === '2025' ? deps.runOnConnection : deps.run
    run(call, message, call.origins()).catch((error: unknown) => handOver.error(call, error))
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

/** Clients compare the resource with their own spelling. */
function asSpelled(incoming: IncomingMessage, route: PostRoute): PostRoute {
  const resource = asRequested(incoming, route.resource)
  return resource === route.resource ? route : { ...route, resource }
}

let turn: Promise<void> | undefined

/**
 * Waits for the end of this turn of the event loop: all calls that do resume in one `setImmediate`. Under load the processor then does the same thing for many calls in a
 * row, which its caches are made for; a call that comes alone waits for an empty turn.
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
