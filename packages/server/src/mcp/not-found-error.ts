/** The error code of a resource that does not exist, by era. */

import {
  isJSONRPCErrorResponse,
  type JSONRPCResponse,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'

const OF_RESOURCES: ReadonlySet<string | undefined> = new Set([
  'resources/read',
  'resources/subscribe',
])

/**
 * Restores -32002, the code for a missing resource before 2026-07-28 (2025-11-25, server/resources,
 * "Error Handling"). The SDK sends -32602 in every era; `data` with a URI and nothing else
 * identifies the error.
 */
export function withNotFoundCode(
  method: string | undefined,
  answer: JSONRPCResponse,
): JSONRPCResponse {
  if (!OF_RESOURCES.has(method) || !isJSONRPCErrorResponse(answer)) return answer
  const { data } = answer.error
  const isNotFound = typeof data === 'object' && data !== null && Object.keys(data).join() === 'uri'
  if (!isNotFound) return answer
  return { ...answer, error: { ...answer.error, code: ProtocolErrorCode.ResourceNotFound } }
}
