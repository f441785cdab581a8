/** The error code of `resources/subscribe` for a resource that does not exist. */

import {
  isJSONRPCErrorResponse,
  type JSONRPCResponse,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'

/**
 * A resource that does not exist is -32002 before 2026-07-28 (2025-11-25, server/resources, "Error
 * Handling"), and `resources/subscribe` exists only there. The SDK sends -32602 in every era, and the
 * URI with nothing else as its data.
 */
export function withSubscribeError(
  method: string | undefined,
  answer: JSONRPCResponse,
): JSONRPCResponse {
  if (method !== 'resources/subscribe' || !isJSONRPCErrorResponse(answer)) return answer
  const { data } = answer.error
  const isNotFound = typeof data === 'object' && data !== null && Object.keys(data).join() === 'uri'
  if (!isNotFound) return answer
  return { ...answer, error: { ...answer.error, code: ProtocolErrorCode.ResourceNotFound } }
}
