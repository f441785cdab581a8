/**
 * Concurrency limits on this node (load shedding): of each caller, so that none can starve the
 * others, and of all together. A caller is a session, or a client address if the request belongs to
 * no session.
 */

import { AppError } from '../errors.ts'
import type { Metrics, StreamKind } from '../telemetry/metrics.ts'

export interface LimitSettings {
  /** Maximum open streams of one caller. */
  readonly maxStreams: number
  /** Maximum open streams of all callers. */
  readonly maxNodeStreams: number
  /** Maximum running calls of one caller. */
  readonly maxCalls: number
  /** Maximum live MCP sessions that one caller has opened. */
  readonly maxConnections: number
}

/** Releases a slot. Idempotent. */
export type Release = () => void

/**
 * Acquires a slot. For the session of an unauthenticated caller it also acquires one for `address`,
 * because such a caller can open any number of sessions.
 * @throws AppError `too_many_requests` if either has reached its limit
 */
type TakePlace = (caller: string, address?: string) => Release

/** Acquires and releases slots by name, without allocating a closure for each call. */
export interface Places {
  take(caller: string, address?: string): void
  give(caller: string, address?: string): void
}

export type Limits = ReturnType<typeof createLimits>

type LimitMetrics = Pick<Metrics, 'rateLimited' | 'streamOpened' | 'streamClosed'>

/**
 * The limit of all unauthenticated sessions at one address, as a multiple of the limit of a single
 * one: a session at its limit does not starve others behind the same NAT.
 */
const ADDRESS_FACTOR = 2

const SOON = { retryAfterSeconds: 1 }
/** The slot of an MCP session is released only when the MCP session ends or expires. */
const LATER = { retryAfterSeconds: 60 }

export function createLimits(settings: LimitSettings, metrics: LimitMetrics) {
  const { maxStreams, maxNodeStreams, maxCalls, maxConnections } = settings
  const places = (most: number, scope: string, refusal: () => AppError) =>
    new CallerPlaces(most, () => {
      metrics.rateLimited(scope)
      return refusal()
    })
  const ofCaller = (most: number, scope: string, what: string, options: typeof SOON): Places => {
    const refusal = (message: string) => () =>
      new AppError('too_many_requests', `Too many ${what}: ${message}`, options)
    const mostOfAddress = most * ADDRESS_FACTOR
    return new AddressPlaces(
      places(most, scope, refusal(`one caller may have ${most} on a node.`)),
      places(
        mostOfAddress,
        scope,
        refusal(`an address may have ${mostOfAddress} on a node without a token.`),
      ),
    )
  }
  const answers = ofCaller(maxStreams, 'streams', 'open streams', SOON)
  const calls = ofCaller(maxCalls, 'calls', 'running calls', SOON)
  const mcpSessions = ofCaller(maxConnections, 'connections', 'live connections', LATER)
  const answer = releasing(answers)
  const full = 'This node has reached its limit of open streams. Try again shortly.'
  const ofNode = places(maxNodeStreams, 'node_streams', () => {
    return new AppError('unavailable', full, SOON)
  })

  return {
    /** Acquires an event stream. Also throws `unavailable` at the limit of the node. */
    stream(caller: string, kind: StreamKind, address?: string): Release {
      const release = answer(caller, address)
      try {
        ofNode.take('')
        metrics.streamOpened(kind)
        return once(() => {
          release()
          ofNode.give('')
          metrics.streamClosed(kind)
        })
      } catch (error) {
        release()
        throw error
      }
    },
    /** Acquires a pending response: counts as a stream, since it may become one. */
    answer,
    call: releasing(calls),
    mcpSession: releasing(mcpSessions),
    ...{ answers, calls },
  }
}

/** Counts the slots of each caller. */
class CallerPlaces {
  readonly #taken = new Map<string, number>()
  readonly #most: number
  readonly #refusal: () => AppError

  constructor(most: number, refusal: () => AppError) {
    this.#most = most
    this.#refusal = refusal
  }

  take(caller: string): void {
    const count = this.#taken.get(caller) ?? 0
    if (count >= this.#most) throw this.#refusal()
    this.#taken.set(caller, count + 1)
  }

  give(caller: string): void {
    const count = this.#taken.get(caller) ?? 0
    if (count > 1) this.#taken.set(caller, count - 1)
    else this.#taken.delete(caller)
  }
}

/** Acquires a slot of the caller and one of the address, or neither. */
class AddressPlaces implements Places {
  readonly #ofCaller: CallerPlaces
  readonly #ofAddress: CallerPlaces

  constructor(ofCaller: CallerPlaces, ofAddress: CallerPlaces) {
    this.#ofCaller = ofCaller
    this.#ofAddress = ofAddress
  }

  take(caller: string, address = caller): void {
    this.#ofCaller.take(caller)
    if (address === caller) return
    try {
      this.#ofAddress.take(address)
    } catch (error) {
      this.#ofCaller.give(caller)
      throw error
    }
  }

  give(caller: string, address = caller): void {
    this.#ofCaller.give(caller)
    if (address !== caller) this.#ofAddress.give(address)
  }
}

function releasing(places: Places): TakePlace {
  return (caller, address) => {
    places.take(caller, address)
    return once(() => places.give(caller, address))
  }
}

/** Makes a release idempotent. */
function once(release: Release): Release {
  let held = true
  return () => {
    if (held) release()
    held = false
  }
}
