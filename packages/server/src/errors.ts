/** The error codes of the server, each with its HTTP status and its JSON-RPC code. */

const WIRE = {
  invalid_request: { status: 400, rpc: -32600 },
  invalid_params: { status: 400, rpc: -32602 },
  parse_error: { status: 400, rpc: -32700 },
  unauthorized: { status: 401, rpc: -32001 },
  login_required: { status: 401, rpc: -32001 },
  forbidden: { status: 403, rpc: -32003 },
  insufficient_scope: { status: 403, rpc: -32003 },
  not_found: { status: 404, rpc: -32001 },
  method_not_allowed: { status: 405, rpc: -32000 },
  not_acceptable: { status: 406, rpc: -32000 },
  conflict: { status: 409, rpc: -32000 },
  payload_too_large: { status: 413, rpc: -32000 },
  uri_too_long: { status: 414, rpc: -32000 },
  unsupported_media_type: { status: 415, rpc: -32000 },
  misdirected_request: { status: 421, rpc: -32000 },
  too_many_requests: { status: 429, rpc: -32000 },
  internal_error: { status: 500, rpc: -32603 },
  upstream_error: { status: 502, rpc: -32603 },
  unavailable: { status: 503, rpc: -32000 },
} as const

export type ErrorCode = keyof typeof WIRE

/** The HTTP status of a code; undefined for an unknown code. */
export function statusOf(code: string): number | undefined {
  return Object.hasOwn(WIRE, code) ? WIRE[code as ErrorCode].status : undefined
}

export interface AppErrorOptions {
  readonly cause?: unknown
  /** Sent as `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number
  /** Sent as `Allow`: the supported methods. */
  readonly allow?: readonly string[]
  /** Sent as `WWW-Authenticate`: how to get a valid token. */
  readonly challenge?: string
}

/**
 * An error with a defined wire format. Callers see the message, so it must not contain secrets or
 * internals; details for the log alone go into `cause`.
 */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly rpcCode: number
  readonly retryAfterSeconds: number | undefined
  readonly allow: readonly string[] | undefined
  readonly challenge: string | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.status = WIRE[code].status
    this.rpcCode = WIRE[code].rpc
    this.retryAfterSeconds = options.retryAfterSeconds
    this.allow = options.allow
    this.challenge = options.challenge
  }
}

/** The store is unreachable or does not answer in time: 503, never 401 or 404. */
export function storeUnavailable(cause?: unknown): AppError {
  return new AppError('unavailable', 'The session store is not available. Try again shortly.', {
    cause,
    retryAfterSeconds: 1,
  })
}

/** Status of a response that nobody receives, since the client has disconnected: nginx's convention. */
export const CLIENT_CLOSED_REQUEST = 499
