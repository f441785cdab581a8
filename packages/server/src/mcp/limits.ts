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
type Acquire = (caller: string, address?: string) => Release

/** Acquires and releases slots by name, without allocating a closure for each call. */
export interface Slots {
  acquire(caller: string, address?: string): void
  release(caller: string, address?: string): void
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

/** What a caller may have a limited number of. */
interface LimitedSlots {
  /** The label of the metric. */
  readonly scope: string
  readonly what: string
  readonly refusal: typeof SOON
}

const STREAMS = { scope: 'streams', what: 'open streams', refusal: SOON }
const CALLS = { scope: 'calls', what: 'running calls', refusal: SOON }
const MCP_SESSIONS = { scope: 'connections', what: 'live connections', refusal: LATER }

const NODE_FULL = 'This node has reached its limit of open streams. Try again shortly.'

export function createLimits(settings: LimitSettings, metrics: LimitMetrics) {
  const { maxStreams, maxNodeStreams, maxCalls, maxConnections } = settings
  const answers = slotsOfCaller(maxStreams, STREAMS, metrics)
  const calls = slotsOfCaller(maxCalls, CALLS, metrics)
  const mcpSessions = slotsOfCaller(maxConnections, MCP_SESSIONS, metrics)
  const answer = releasing(answers)
  const ofNode = new CallerSlots(maxNodeStreams, () => {
    metrics.rateLimited('node_streams')
    return new AppError('unavailable', NODE_FULL, SOON)
  })

  return {
    /** Acquires an event stream. Also throws `unavailable` at the limit of the node. */
    stream(caller: string, kind: StreamKind, address?: string): Release {
      const release = answer(caller, address)
      try {
        ofNode.acquire('')
        metrics.streamOpened(kind)
        return once(() => {
          release()
          ofNode.release('')
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

/** The slots of each caller, and those of each address of unauthenticated callers. */
function slotsOfCaller(
  most: number,
  { scope, what, refusal }: LimitedSlots,
  metrics: LimitMetrics,
): Slots {
  const refuse = (message: string) => () => {
    metrics.rateLimited(scope)
    return new AppError('too_many_requests', `Too many ${what}: ${message}`, refusal)
  }
  const mostOfAddress = most * ADDRESS_FACTOR
  const ofAddress = `an address may have ${mostOfAddress} on a node without a token.`
  return new AddressSlots(
    new CallerSlots(most, refuse(`one caller may have ${most} on a node.`)),
    new CallerSlots(mostOfAddress, refuse(ofAddress)),
  )
}

/** Counts the slots of each caller. */
class CallerSlots {
  readonly #taken = new Map<string, number>()
  readonly #most: number
  readonly #refusal: () => AppError

  constructor(most: number, refusal: () => AppError) {
    this.#most = most
    this.#refusal = refusal
  }

  acquire(caller: string): void {
    const count = this.#taken.get(caller) ?? 0
    if (count >= this.#most) throw this.#refusal()
    this.#taken.set(caller, count + 1)
  }

  release(caller: string): void {
    const count = this.#taken.get(caller) ?? 0
    if (count > 1) this.#taken.set(caller, count - 1)
    else this.#taken.delete(caller)
  }
}

/** Acquires a slot of the caller and one of the address, or neither. */
class AddressSlots implements Slots {
  readonly #ofCaller: CallerSlots
  readonly #ofAddress: CallerSlots

  constructor(ofCaller: CallerSlots, ofAddress: CallerSlots) {
    this.#ofCaller = ofCaller
    this.#ofAddress = ofAddress
  }

  acquire(caller: string, address = caller): void {
    this.#ofCaller.acquire(caller)
    if (address === caller) return
    try {
      this.#ofAddress.acquire(address)
    } catch (error) {
      this.#ofCaller.release(caller)
      throw error
    }
  }

  release(caller: string, address = caller): void {
    this.#ofCaller.release(caller)
    if (address !== caller) this.#ofAddress.release(address)
  }
}

function releasing(slots: Slots): Acquire {
  return (caller, address) => {
    slots.acquire(caller, address)
    return once(() => slots.release(caller, address))
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
