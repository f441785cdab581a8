/**
 * `subscriptions/listen` (2026-07-28, basic/utilities/subscriptions), within bounds before the SDK
 * sees it: what it asks for is held in memory for as long as its stream is open.
 */

import { AppError } from '../../errors.ts'
import { checkSubscriptionCount } from '../bounds.ts'
import type { CallToolDeps } from '../call-tool.ts'
import type { Release } from '../limits.ts'
import { createMaySubscribe, type Subscriber } from '../may-subscribe.ts'

/** Of URIs that the open streams of one caller, and of all callers, wait for on this node. */
const MOST_BYTES_OF_CALLER = 16 * 1024 * 1024
const MOST_BYTES = 64 * 1024 * 1024

export interface ListenRequest {
  /** What the SDK is given. */
  readonly body: unknown
  /** The request's own, which its result has too. */
  readonly id: unknown
  /** Whether some of its resources belong to the caller's session. */
  readonly isPersonal: boolean
  /** Gives back what the request holds. */
  readonly release: Release
}

/**
 * Gives the request without URIs of resources that the caller may not read: the acknowledgement names
 * those that are left. They are not refused, since a client cannot tell which of its URIs would be.
 * @throws AppError `invalid_params` for what is too many or too long, `too_many_requests` and
 * `unavailable` where the open streams hold too much
 */
export type TakeListenRequest = (
  body: unknown,
  caller: string,
  subscriber: Omit<Subscriber, 'meta'>,
) => Promise<ListenRequest>

/** Personal resources are read to find out: so many at a time. */
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

  /** Those of the URIs that the caller may read. */
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

  return async (body, caller, { origin, signal }) => {
    const { id, method, params } = body as ListenBody
    const notifications = params?.notifications
    // Everything but what is asked for is left to the SDK, which refuses it or does not keep it.
    const uris = urisIn(notifications)
    if (uris === undefined) return { body, id, isPersonal: false, release: () => undefined }
    const meta = params?._meta as object | undefined
    const subscriber = { origin, signal, meta }
    const { known, isPersonal } = await readable([...new Set(uris)], subscriber)
    const bytes = known.reduce((sum, uri) => sum + Buffer.byteLength(uri), 0)
    const filter = { ...(notifications as object), resourceSubscriptions: known }
    const message = { jsonrpc: '2.0', id, method, params: { ...params, notifications: filter } }
    return { body: message, id, isPersonal, release: hold(caller, bytes) }
  }
}

/** Infrastructure that fails, and URIs that are too long, are for the whole request. */
function passOver(error: unknown): undefined {
  if (error instanceof AppError && BOUNDS.has(error.code)) throw error
}

const BOUNDS: ReadonlySet<string> = new Set(['unavailable', 'invalid_params'])

/** Undefined where there is no list. @throws AppError `invalid_params` */
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
      throw new AppError('too_many_requests', 'Your open streams wait for too many resources.')
    }
    if (all + bytes > MOST_BYTES) {
      throw new AppError(
        'unavailable',
        'The open streams of this node wait for too many resources.',
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
