/** Assembles the handler of `call/`, which answers the callers' POSTs. */

import type { ResourcePath } from './auth/resources.ts'
import { CallLines } from './call/answer.ts'
import type { Call, PostRoute } from './call/fast-call.ts'
import { createHandOver, type HandOverDeps } from './call/hand-over.ts'
import { type CallHandler, createCallHandler, createRunOnMcpSession } from './call/handler.ts'
import { createFindToolMessage, createReadBytes } from './call/message.ts'
import { createRunCall } from './call/run-call.ts'
import { NO_TEAM } from './engine/team.ts'
import { isVisible, mayHide } from './engine/visibility.ts'
import { createIdentify } from './http/bearer.ts'
import type { BodyBudget } from './http/body-budget.ts'
import { countedNetwork } from './http/client-address.ts'
import type { CallRates } from './http/rate-limit.ts'
import type { RouteTable } from './http/routes.ts'
import { implementationOf } from './runtime/implementation.ts'
import type { Runtime } from './runtime.ts'

export interface CallsDeps extends Pick<HandOverDeps, 'fetch'> {
  readonly rates: CallRates | undefined
  readonly routes: RouteTable
  readonly bodyBudget: BodyBudget
}

export function createCalls(
  runtime: Runtime,
  { rates, routes, bodyBudget, fetch }: CallsDeps,
): CallHandler {
  const { config, auth, blocks, mcp, direct, legacy, log, callTool, limits } = runtime
  const { requestContexts } = runtime
  const { tokens, facts } = auth
  const lines = new CallLines(log)
  const handOver = createHandOver({ fetch, mcp, direct, sse: legacy.sse })
  return createCallHandler({
    routes: postRoutes(runtime, routes),
    labelOf: routes.labelOf,
    ...{ rates, handOver, isHidden: hiddenTools(runtime) },
    parts: {
      lines,
      rates,
      prefetchMcpSession: legacy.streamable.prefetch,
      trustedProxies: config.http.trustedProxies,
      requestContexts,
      storageOf: (incoming) => runtime.storageBudgets(countedNetwork(incoming, config.http)),
    },
    options: config.http,
    identify: createIdentify({ tokens, scopes: facts.scopes, blocks, rates }),
    requireScopes: auth.requireScopes,
    readBytes: createReadBytes(config.http, bodyBudget),
    findMessage: config.http.fastPath
      ? createFindToolMessage(runtime.catalog, mcp.modern.clients, config.serves)
      : () => undefined,
    run: createRunCall({
      ...{ callTool, limits, lines, handOver, direct },
      modern: mcp.modern,
      about: implementationOf(runtime),
    }),
    runOnMcpSession: createRunOnMcpSession({
      ...{ callTool, limits, lines, handOver },
      legacy: legacy.streamable,
      findMcpSession: legacy.findMcpSession,
      runningCalls: legacy.runningCalls,
    }),
  })
}

/** Precomputes which tools may be hidden, so that calls of all others skip the visibility check. */
function hiddenTools({ catalog, team = NO_TEAM, log }: Runtime) {
  const definitions = [...catalog.tools.values()].map(({ definition }) => definition)
  const rules = new Map(
    definitions.filter((each) => mayHide(team, [each])).map((each) => [each.name, each]),
  )
  return (name: string, call: Call) => {
    const definition = rules.get(name)
    return definition !== undefined && !isVisible(team, definition, call.contexts().identity, log)
  }
}

/** POST routes of the table; `/messages` shares the protected resource of its SSE stream. */
function postRoutes({ config, auth }: Runtime, routes: RouteTable): Map<string, PostRoute> {
  const { required } = config.auth
  const route = (path: PostRoute['path'], at: ResourcePath, isRequired: boolean) =>
    ({ path, resource: auth.resources.at(at), required: isRequired }) as const
  const all = [
    route('/mcp', '/mcp', required),
    route('/http', '/http', true),
    route('/messages', '/sse', required),
  ]
  const served = all.filter(({ path }) => routes.find(path) !== undefined)
  return new Map(served.map((each) => [each.path, each]))
}
