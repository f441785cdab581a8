/** How large a body the authorization server's endpoints read. */

import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { writeOAuthError } from './oauth-error.ts'
import type { NodeHandler } from './server.ts'

export const OAUTH_BODY_LIMIT_BYTES = 64 * 1024
/** So much is taken off the line before the connection is cut. */
const DROPPED_BYTES = 1024 * 1024

const sizes = new WeakMap<IncomingMessage, number>()

/** How many bytes of the body have come in so far, behind `limitOAuthBody`. */
export function bodyBytesRead(request: IncomingMessage): number {
  return sizes.get(request) ?? 0
}

/** Puts the limit in front of a handler: more is refused with 413, in OAuth's form. */
export function limitOAuthBody(handler: NodeHandler): NodeHandler {
  return async (request, response) => {
    let isCutOff = false
    const refuse = () => {
      isCutOff = true
      const message = `The body may have ${OAUTH_BODY_LIMIT_BYTES} bytes.`
      writeOAuthError(response, new AppError('payload_too_large', message))
    }
    limitBody(request, refuse)
    if (Number(request.headers['content-length'] ?? 0) > OAUTH_BODY_LIMIT_BYTES) {
      refuse()
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
 * Bodies are counted where they come in, since their length need not be told beforehand, and reading
 * them is the handler's. The rest of a large one is taken off the line, so that the client comes to
 * read its answer; the handler never sees the end of it.
 */
function limitBody(request: IncomingMessage, onTooLarge: () => void): void {
  const push = request.push.bind(request)
  let size = 0
  request.push = (chunk: Buffer | null, encoding) => {
    const before = size
    size += chunk?.length ?? 0
    sizes.set(request, size)
    if (size <= OAUTH_BODY_LIMIT_BYTES) return push(chunk, encoding)
    if (before <= OAUTH_BODY_LIMIT_BYTES) onTooLarge()
    if (chunk === null || size > DROPPED_BYTES) request.destroy()
    return true
  }
}
