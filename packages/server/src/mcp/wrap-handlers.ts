/** Wraps the request handlers of an SDK server. */

import type { Server, ServerContext } from '@modelcontextprotocol/server'

export type Handler = (request: unknown, ctx: ServerContext) => unknown
/** For methods outside the protocol, such as those of extensions, `first` holds the schemas. */
type SetHandler = (method: string, first: unknown, second?: Handler) => void

/** Wraps all handlers that are registered after this call. */
export function wrapHandlers(
  server: Server,
  wrap: (handler: Handler, method: string) => Handler,
): void {
  const set = server.setRequestHandler.bind(server) as SetHandler
  const setWrapped: SetHandler = (method, first, second) => {
    if (second === undefined) set(method, wrap(first as Handler, method))
    else set(method, first, wrap(second, method))
  }
  Object.assign(server, { setRequestHandler: setWrapped })
}
