/** What one address may ask of the authorization server: requests a minute, and bytes a body. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { NodeHandler } from './server.ts'

export interface OAuthLimitsDeps {
  readonly store: Pick<Store, 'count'>
  readonly log: Pick<Logger, 'warn'>
}

export interface OAuthLimitsOptions {
  /** False to count nothing; bodies stay limited. */
  readonly rateLimit: boolean
  /** How many proxies of ours a request passes. */
  readonly trustedProxies: number
}

const WINDOW_SECONDS = 60
/** Requests of one address in a window, on all nodes together. */
const LIMITS: ReadonlyMap<string, number> = new Map([
  // Anybody may register, and what they register is kept for a while.
  ['register', 20],
  ['authorize', 600],
  ['token', 600],
  ['revoke', 600],
  ['introspect', 600],
])
const BODY_LIMIT_BYTES = 64 * 1024
/** So much is taken off the line before the connection is cut. */
const DROPPED_BYTES = 1024 * 1024

interface Refusal {
  readonly status: number
  /** RFC 6749, sections 4.1.2.1 and 5.2. */
  readonly error: 'temporarily_unavailable' | 'invalid_request' | 'server_error'
  readonly description: string
  readonly retryAfterSeconds?: number
}

const TOO_MANY: Refusal = {
  // RFC 6585, section 4.
  status: 429,
  error: 'temporarily_unavailable',
  description: 'Too many requests from this address. Try again in a minute.',
  retryAfterSeconds: WINDOW_SECONDS,
}
const TOO_LARGE: Refusal = {
  status: 413,
  error: 'invalid_request',
  description: `The body may have ${BODY_LIMIT_BYTES} bytes.`,
}

/**
 * Puts limits in front of the authorization server's handler. Refusals have OAuth's form (RFC 6749,
 * section 5.2): 429 and 503 with `Retry-After`, 413. Nothing is written to the store for a caller
 * but one number, which expires.
 */
export function createOAuthLimits(
  { store, log }: OAuthLimitsDeps,
  { rateLimit, trustedProxies }: OAuthLimitsOptions,
): (handler: NodeHandler) => NodeHandler {
  /** Whether this is one too many. */
  async function isOver(request: IncomingMessage): Promise<boolean> {
    const [, endpoint = ''] = /^\/(\w+)(?=[/?]|$)/.exec(request.url ?? '') ?? []
    const most = LIMITS.get(endpoint)
    // Browsers ask before they send: the request itself is counted.
    if (!rateLimit || most === undefined || request.method === 'OPTIONS') return false
    const network = sha256(networkOf(clientAddress(request, trustedProxies)))
    const count = await store.count(`rate:${endpoint}:{${network}}`, WINDOW_SECONDS)
    // One line a window is enough to see it.
    if (count === most + 1) log.warn({ endpoint }, 'an address is over its limit')
    return count > most
  }

  return (handler) => async (request, response) => {
    let isCutOff = false
    limitBody(request, () => {
      isCutOff = true
      refuse(response, TOO_LARGE)
    })
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) {
      refuse(response, TOO_LARGE)
      return
    }
    try {
      if (await isOver(request)) {
        refuse(response, TOO_MANY)
        return
      }
    } catch (error) {
      log.warn({ err: error }, 'request failed')
      refuse(response, failure(error))
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
    if (size <= BODY_LIMIT_BYTES) return push(chunk, encoding)
    if (before <= BODY_LIMIT_BYTES) onTooLarge()
    if (chunk === null || size > DROPPED_BYTES) request.destroy()
    return true
  }
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) return
  const { status, error, description, retryAfterSeconds } = refusal
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    // Clients in browsers are to know how long to wait; the answer is the same for everybody.
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'retry-after',
  }
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds)
  response.writeHead(status, headers)
  response.end(JSON.stringify({ error, error_description: description }))
}

/** The store is away: nobody may take that for a fault of his credentials. */
function failure(error: unknown): Refusal {
  if (!(error instanceof AppError)) {
    return { status: 500, error: 'server_error', description: 'Something went wrong.' }
  }
  return {
    status: error.status,
    error: 'temporarily_unavailable',
    description: error.message,
    retryAfterSeconds: error.retryAfterSeconds ?? 1,
  }
}
