/** One request of the 2026 era without HTTP around it: a message in, the answer out. */

import type { AuthInfo, JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/server'
import type { SharedServer } from '../shared-server.ts'

export interface DirectExchange {
  readonly authInfo: AuthInfo
  /** Calls back when the caller is gone, or has its answer. */
  readonly onClose: (listener: () => void) => void
}

/**
 * Has the server answer the request. What it says besides the answer is dropped, since nobody is
 * there to hear it. When the caller goes away the call is cancelled, and there is no answer.
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
