/** One request of the 2026 era without an HTTP response: a message in, the response message out. */

import type { AuthInfo, JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/server'
import type { SharedServer } from '../shared-server.ts'

export interface DirectExchange {
  readonly authInfo: AuthInfo
  /** Calls the listener when the response is sent or the caller disconnects. */
  readonly onClose: (listener: () => void) => void
}

/**
 * Runs the request and returns its response. Drops notifications, which a direct call cannot
 * receive. A disconnect cancels the call; the result is then undefined.
 */
export function exchange(
  server: SharedServer,
  request: JSONRPCRequest,
  { authInfo, onClose }: DirectExchange,
): Promise<JSONRPCResponse | undefined> {
  return new Promise((resolve) => {
    const sink = { notify: () => undefined, respond: resolve }
    const cancel = server.serve(request, sink, { authInfo })
    onClose(() => {
      cancel('the caller is gone')
      resolve(undefined)
    })
  })
}
