/**
 * Takes the POSTs of callers before Hono: the order of its lines is the order of a call. A plain call
 * is answered from here; everything else is handed over with its body, its caller and its connection.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TokenPresenter } from '../auth/access-tokens.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { RequireScopes } from '../auth/required-scopes.ts'
import { clientAddress, networkOf } from '../http/client-address.ts'
import type { CallRates } from '../http/rate-limit.ts'
import { asRequested } from '../http/trailing-slash.ts'
import type { LegacyEndpoint } from '../mcp/legacy/endpoint.ts'
import type { RequestOrigins } from '../mcp/origin.ts'
import type { Caller } from '../session/caller.ts'
import { nextTurn } from './batch.ts'
import { type BodyOptions, checkHeaders, parseBody, type ReadBytes, readEarly } from './body.ts'
import { Call, type PostRoute } from './call.ts'
import type { HandOver } from './hand-over.ts'
import type { CallLines } from './lines.ts'
import type { FindToolMessage } from './message.ts'
import type { RunCall } from './run.ts'
import type { RunOnConnection } from './run-on-connection.ts'

export interface CallHandlerDeps {
  readonly routes: ReadonlyMap<string, PostRoute>
  /** The path of a URL's route. */
  readonly labelOf: (url: string) => string
  readonly lines: CallLines
  readonly options: BodyOptions & { readonly trustedProxies: number }
  readonly rates: CallRates
  readonly authenticate: Authenticate
  readonly requireScopes: RequireScopes
  readonly legacy: Pick<LegacyEndpoint, 'lookUp'>
  readonly readBytes: ReadBytes
  /** Finds no message where every call is the SDK's. */
  readonly findMessage: FindToolMessage
  /** Whether the caller does not see a tool: the SDK says that there is none of that name. */
  readonly isHidden: (tool: string, call: Call) => boolean
  readonly originsOf: (call: Call) => RequestOrigins
  readonly run: RunCall
  readonly runOnConnection: RunOnConnection
  readonly handOver: HandOver
}

/** Answers a request; false for one that is not a POST of a caller. */
export type CallHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean

export function createCallHandler(deps: CallHandlerDeps): CallHandler {
  const { routes, labelOf, lines, options, rates, readBytes, handOver } = deps

  /** Who calls, by the headers; counted. */
  async function identify(call: Call): Promise<Caller> {
    const { authorization } = call.incoming.headers
    try {
      call.caller = await deps.authenticate(
        authorization,
        call.route,
        new CallPresenter(deps, call),
      )
    } catch (error) {
      await rates.countRefused(call, error)
      throw error
    }
    await rates.count(call)
    return call.caller
  }

  async function readBody(call: Call): Promise<void> {
    try {
      const { early } = call
      call.early = undefined
      parseBody(call, early instanceof Buffer ? early : await (early ?? readBytes(call)), options)
    } catch (error) {
      await rates.countRefusedBody(call, error)
      throw error
    }
    await rates.countBody(call)
  }

  async function answer(call: Call): Promise<void> {
    const { incoming, route } = call
    const length = checkHeaders(incoming.headers, options)
    await nextTurn()
    readEarly(call, length, readBytes)
    const caller = await identify(call)
    await readBody(call)
    deps.requireScopes(caller, call.body, route.resource)
    const message = deps.findMessage(call.body, incoming.headers, route.path)
    if (message === undefined || deps.isHidden(message.name, call)) {
      handOver.sdk(call)
      return
    }
    call.message = message
    const run = message.era === '2025' ? deps.runOnConnection : deps.run
    await run(call, message, deps.originsOf(call))
  }

  return (incoming, outgoing) => {
    if (incoming.method !== 'POST') return false
    const { url = '/' } = incoming
    const route = routes.get(url) ?? routes.get(labelOf(url))
    if (route === undefined) return false
    const call = new Call(incoming, outgoing, asSpelled(incoming, route), lines)
    answer(call).catch((error: unknown) => handOver.error(call, error))
    return true
  }
}

/** Clients compare the resource with their own spelling. */
function asSpelled(incoming: IncomingMessage, route: PostRoute): PostRoute {
  const resource = asRequested(incoming, route.resource)
  return resource === route.resource ? route : { ...route, resource }
}

/** Asks for the connection that a call names beside what its token needs of the store. */
class CallPresenter implements TokenPresenter {
  readonly #deps: CallHandlerDeps
  readonly #call: Call

  constructor(deps: CallHandlerDeps, call: Call) {
    this.#deps = deps
    this.#call = call
  }

  address(): string {
    return networkOf(clientAddress(this.#call.incoming, this.#deps.options.trustedProxies))
  }

  onSession(id: string): void {
    const call = this.#call
    this.#deps.rates.refuseKnown(call, id)
    const { connectionId } = call
    if (connectionId === undefined) return
    call.connection = this.#deps.legacy.lookUp(connectionId)
    // Who is refused does not come to it.
    call.connection.catch(() => undefined)
  }
}
