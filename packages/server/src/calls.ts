/** Puts the parts of `call/` together: what answers the POSTs of callers. */

import type { ResourcePath } from './auth/resources.ts'
import { createReadBytes } from './call/body.ts'
import type { Call, PostRoute } from './call/call.ts'
import { createHandOver, type HandOverDeps } from './call/hand-over.ts'
import { type CallHandler, createCallHandler } from './call/handler.ts'
import { CallLines } from './call/lines.ts'
import { createFindToolMessage } from './call/message.ts'
import { createRunCall } from './call/run.ts'
import { createRunOnConnection } from './call/run-on-connection.ts'
import { NO_TEAM } from './engine/team.ts'
import { isVisible } from './engine/visibility.ts'
import type { BodyBudget } from './http/body-budget.ts'
import { countedNetwork } from './http/client-address.ts'
import type { CallRates } from './http/rate-limit.ts'
import type { RouteTable } from './http/routes.ts'
import { implementationOf } from './runtime/implementation.ts'
import type { Runtime } from './runtime.ts'

export interface CallsDeps extends Pick<HandOverDeps, 'fetch'> {
  readonly rates: CallRates
  readonly routes: RouteTable
  readonly bodyBudget: BodyBudget
}

export function createCalls(
  runtime: Runtime,
  { rates, routes, bodyBudget, fetch }: CallsDeps,
): CallHandler {
  const { config, auth, mcp, direct, legacy, origins, log, callTool, limits } = runtime
  const lines = new CallLines(log)
  const originsOf = (call: Call) => {
    if (call.caller === undefined) throw new Error('A call arrived without its caller')
    const storageOf = () => runtime.storageBudgets(countedNetwork(call.incoming, config.http))
    return origins.of(call.caller, call, storageOf)
  }
  const { catalog, team = NO_TEAM } = runtime
  const isHidden = (name: string, call: Call) => {
    const definition = catalog.tools.get(name)?.definition
    if (team.unauthorizedTools === 'challenge' && definition?.visible === undefined) return false
    return definition === undefined || !isVisible(team, definition, originsOf(call).identity, log)
  }
  const handOver = createHandOver({ fetch, mcp, direct, sse: legacy.sse, originsOf })
  const parts = { callTool, limits, lines, handOver }
  return createCallHandler({
    routes: postRoutes(runtime, routes),
    labelOf: routes.labelOf,
    ...{ lines, rates, originsOf, handOver, isHidden },
    options: config.http,
    authenticate: auth.authenticate,
    requireScopes: auth.requireScopes,
    legacy: legacy.streamable,
    readBytes: createReadBytes(config.http, bodyBudget),
    findMessage: config.http.fastPath
      ? createFindToolMessage(runtime.catalog, mcp.modern.clients, config.serves)
      : () => undefined,
    run: createRunCall({
      ...parts,
      ...{ modern: mcp.modern, direct, about: implementationOf(runtime) },
    }),
    runOnConnection: createRunOnConnection({
      ...parts,
      legacy: legacy.streamable,
      running: legacy.running,
    }),
  })
}

/** Those of the table; the older transport shares its resource with its stream. */
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
