/** One request of the 2026 era without HTTP around it: a message in, the answer out. */

import {
  type AuthInfo,
  isJSONRPCResponse,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type McpServer,
  PerRequestHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { MODERN_REVISION } from '../server.ts'

const classification = { era: 'modern', revision: MODERN_REVISION } as const

/**
 * Has a fresh server answer the request. What it says besides the answer is dropped, since nobody
 * is there to hear it. When `signal` is aborted the call is cancelled, and there is no answer.
 */
export async function exchange(
  server: McpServer,
  request: JSONRPCRequest,
  { authInfo, signal }: { readonly authInfo: AuthInfo; readonly signal: AbortSignal },
): Promise<JSONRPCResponse | undefined> {
  // By this transport the SDK knows the era; the `Response` it would make is not wanted.
  const transport = new PerRequestHTTPServerTransport({ classification })
  const close = () => void transport.close()
  const answered = new Promise<JSONRPCResponse>((resolve) => {
    transport.send = async (message) => {
      if (isJSONRPCResponse(message)) resolve(message)
    }
  })
  await server.connect(transport)
  const closed = new Promise<undefined>((resolve) => {
    server.server.onclose = () => resolve(undefined)
  })
  signal.addEventListener('abort', close, { once: true })
  try {
    if (signal.aborted) return undefined
    transport.onmessage?.(request, { classification, authInfo })
    return await Promise.race([answered, closed])
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}
