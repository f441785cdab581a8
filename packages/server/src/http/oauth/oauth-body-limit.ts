/** Body limit of the authorization server's endpoints. */

import type { IncomingMessage } from 'node:http'
import { createBodyBudget } from '../body-budget.ts'
import type { NodeHandler } from '../http-server.ts'
import { bodyTooLarge, countPieces } from '../read-body.ts'
import { OAUTH_BODY_BYTES, OAUTH_TABLE } from '../routes.ts'
import { writeOAuthError } from './oauth-error.ts'

/** Bytes of a refused body to discard before closing the connection. */
const DISCARDED_BYTES = 1024 * 1024

const sizes = new WeakMap<IncomingMessage, number>()

/** The body limit in bytes, from the route table. */
export function oauthBodyLimit({ url = '/' }: IncomingMessage): number {
  return OAUTH_TABLE.find(url)?.maxBodyBytes ?? OAUTH_BODY_BYTES
}

/** Body bytes received so far; tracked by `limitOAuthBody`. */
export function bodyBytesRead(request: IncomingMessage): number {
  return sizes.get(request) ?? 0
}

/**
 * Wraps a handler with body limits and OAuth errors: 413 for a larger body, 503 if the node's body
 * budget is exhausted.
 */
export function limitOAuthBody(
  handler: NodeHandler,
  budget = createBodyBudget(Number.POSITIVE_INFINITY),
): NodeHandler {
  return async (request, response) => {
    const limitBytes = oauthBodyLimit(request)
    let isCutOff = false
    const refuse = (error: unknown) => {
      isCutOff = true
      writeOAuthError(response, error)
    }
    const share = budget.shareOf(response)
    const pieces = countPieces()
    inspectBody(request, refuse, (size, added) => {
      if (size > limitBytes) throw bodyTooLarge(limitBytes)
      pieces.add(added)
      share.hold(size)
    })
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
      refuse(bodyTooLarge(limitBytes))
      return
    }
    try {
      await handler(request, response)
    } catch (error) {
      // The refusal truncated the body, so the handler failed; the error response is already sent.
      if (!isCutOff) throw error
    }
  }
}

/**
 * Checks body chunks on arrival, because the length may be undeclared and the handler reads the
 * body itself. Discards the rest of a refused body, so that the client finishes sending and reads
 * the response; the handler never sees the end of the body.
 */
function inspectBody(
  request: IncomingMessage,
  onRefusal: (error: unknown) => void,
  check: (size: number, added: number) => void,
): void {
  const push = request.push.bind(request)
  let size = 0
  let isRefused = false
  request.push = (chunk: Buffer | null, encoding) => {
    const added = chunk?.length ?? 0
    size += added
    sizes.set(request, size)
    try {
      if (!isRefused) check(size, added)
    } catch (error) {
      isRefused = true
      onRefusal(error)
    }
    if (!isRefused) return push(chunk, encoding)
    if (chunk === null || size > DISCARDED_BYTES) request.destroy()
    return true
  }
}
