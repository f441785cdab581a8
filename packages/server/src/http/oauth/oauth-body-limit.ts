/** How large a body the authorization server's endpoints read. */

import type { IncomingMessage } from 'node:http'
import { createBodyBudget } from '../body-budget.ts'
import type { NodeHandler } from '../http-server.ts'
import { bodyTooLarge, countPieces } from '../read-body.ts'
import { OAUTH_BODY_BYTES, OAUTH_TABLE } from '../routes.ts'
import { writeOAuthError } from './oauth-error.ts'

/** So much is discarded before the connection is closed. */
const DISCARDED_BYTES = 1024 * 1024

const sizes = new WeakMap<IncomingMessage, number>()

/** How many bytes the body may have, by the route table. */
export function oauthBodyLimit({ url = '/' }: IncomingMessage): number {
  return OAUTH_TABLE.find(url)?.maxBodyBytes ?? OAUTH_BODY_BYTES
}

/** How many bytes of the body have come in so far, behind `limitOAuthBody`. */
export function bodyBytesRead(request: IncomingMessage): number {
  return sizes.get(request) ?? 0
}

/**
 * Puts the limits in front of a handler, in OAuth's form: 413 for a larger body, 503 where the node
 * holds too many.
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
      // A body that breaks off under the handler is our doing then, and has its answer.
      if (!isCutOff) throw error
    }
  }
}

/**
 * Bodies are checked where they come in, since their length need not be announced, and reading them
 * is the handler's. The rest of a refused one is discarded, so that the client comes to read its
 * answer; the handler never sees the end of it.
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
