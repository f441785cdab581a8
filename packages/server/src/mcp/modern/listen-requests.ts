/**
 * `subscriptions/listen` (2026-07-28, basic/utilities/subscriptions): checks access and limits
 * before the SDK receives the URIs, which stay in memory while the stream is open.
 */

import { AppError } from '../../errors.ts'
import { checkSubscriptionCount } from '../bounds.ts'
import type { CallToolDeps } from '../call-tool.ts'
import type { Release } from '../limits.ts'
import { createMaySubscribe, type Subscriber } from '../may-subscribe.ts'

/** Memory limits of the subscribed URIs on this node, for one caller and for all callers. */
const MOST_BYTES_OF_CALLER = 16 * 1024 * 1024
const MOST_BYTES = 64 * 1024 * 1024

export interface ListenRequest {
  /** The filtered body, for the SDK. */
  readonly body: unknown
  /** The id of the request. */
  readonly id: unknown
  /** Whether some of its resources belong to the caller's session. */
  readonly isPersonal: boolean
  /** Releases the memory counted for the request. */
  readonly release: Release
}

/**
 * Returns the request without the URIs that the caller may not read; the acknowledgement lists the
 * others. Does not reject such URIs: a client could not know which of them caused the error.
 * @throws AppError `invalid_params` for too many or too long URIs; `too_many_requests` and
 * `unavailable` if open streams hold too much memory
 */
export type TakeListenRequest = (
  body: unknown,
  caller: string,
  subscriber: Omit<Subscriber, 'meta'>,
) => Promise<ListenRequest>

/** Concurrency limit of the permission checks, which read personal resources. */
const READ_AT_ONCE = 10

interface ListenBody {
  readonly id?: unknown
  readonly method: 'subscriptions/listen'
  readonly params?: { readonly _meta?: unknown; readonly notifications?: unknown }
}

export function isListen(body: unknown): body is ListenBody {
  return (body as { method?: unknown } | null)?.method === 'subscriptions/listen'
}

export function createListenRequests(deps: CallToolDeps): TakeListenRequest {
  const maySubscribe = createMaySubscribe(deps)
  const hold = createHeldBytes()

  /** Returns the URIs that the caller may read. */
  async function readable(uris: readonly string[], subscriber: Subscriber) {
    const known: string[] = []
    let isPersonal = false
    for (let start = 0; start < uris.length; start += READ_AT_ONCE) {
      const batch = uris.slice(start, start + READ_AT_ONCE)
      const checks = batch.map((uri) => maySubscribe(uri, subscriber).catch(passOver))
      for (const [index, found] of (await Promise.all(checks)).entries()) {
        if (found === undefined) continue
        known.push(batch[index] ?? '')
        isPersonal ||= found.isPersonal
      }
    }
    return { known, isPersonal }
  }

  return async (body, caller, { requestContext, signal }) => {
    const { id, method, params } = body as ListenBody
    const notifications = params?.notifications
    // The SDK rejects or drops all other fields.
    const uris = urisIn(notifications)
    if (uris === undefined) return { body, id, isPersonal: false, release: () => undefined }
    const meta = params?._meta as object | undefined
    const subscriber = { requestContext, signal, meta }
    const { known, isPersonal } = await readable([...new Set(uris)], subscriber)
    const bytes = known.reduce((sum, uri) => sum + Buffer.byteLength(uri), 0)
    const filter = { ...(notifications as object), resourceSubscriptions: known }
    const message = { jsonrpc: '2.0', id, method, params: { ...params, notifications: filter } }
    return { body: message, id, isPersonal, release: hold(caller, bytes) }
  }
}

/** Skips a URI that cannot be read. A store outage or a too long URI fails the whole request. */
function passOver(error: unknown): undefined {
  if (error instanceof AppError && BOUNDS.has(error.code)) throw error
}

const BOUNDS: ReadonlySet<string> = new Set(['unavailable', 'invalid_params'])

/** The URIs to subscribe to; undefined if there is no list. @throws AppError `invalid_params` */
function urisIn(notifications: unknown): readonly string[] | undefined {
  const uris = (notifications as { resourceSubscriptions?: unknown } | null | undefined)
    ?.resourceSubscriptions
  if (!Array.isArray(uris)) return undefined
  checkSubscriptionCount(uris.length)
  if (uris.every((uri) => typeof uri === 'string')) return uris
  throw new AppError('invalid_params', 'resourceSubscriptions must be a list of URIs.')
}

function createHeldBytes(): (caller: string, bytes: number) => Release {
  const ofCallers = new Map<string, number>()
  let all = 0

  function change(caller: string, by: number): void {
    all += by
    const held = (ofCallers.get(caller) ?? 0) + by
    if (held === 0) ofCallers.delete(caller)
    else ofCallers.set(caller, held)
  }

  return (caller, bytes) => {
    if ((ofCallers.get(caller) ?? 0) + bytes > MOST_BYTES_OF_CALLER) {
      throw new AppError('too_many_requests', 'Your open streams subscribe to too many resources.')
    }
    if (all + bytes > MOST_BYTES) {
      throw new AppError(
        'unavailable',
        'The open streams of this node subscribe to too many resources.',
      )
    }
    change(caller, bytes)
    let isHeld = true
    return () => {
      if (isHeld) change(caller, -bytes)
      isHeld = false
    }
  }
}
