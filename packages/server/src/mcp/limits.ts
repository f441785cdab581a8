/**
 * How much of this node one caller may take at a time, so that none keeps the others out. A caller is
 * a session, or an address where a request belongs to no session.
 */

import { AppError } from '../errors.ts'
import type { Metrics, StreamKind } from '../telemetry/metrics.ts'

export interface LimitSettings {
  /** Open streams of one caller. */
  readonly maxStreams: number
  /** Open streams of all callers. */
  readonly maxNodeStreams: number
  /** Running calls of one caller. */
  readonly maxCalls: number
  /** Live connections that one caller opened. */
  readonly maxConnections: number
}

/** Gives a place back; only the first time counts. */
export type Release = () => void

/**
 * Takes a place, for the `address` as well where a caller without a token has a session: whoever has
 * none opens as many sessions as it likes.
 * @throws AppError `too_many_requests` when one of them has as many as it may
 */
type TakePlace = (caller: string, address?: string) => Release

/** The same for who gives back by name: a call has no closures of its own. */
export interface Places {
  take(caller: string, address?: string): void
  give(caller: string, address?: string): void
}

export interface Limits {
  /** A stream to listen to. Throws `unavailable` as well, when the node holds as many as it can. */
  readonly stream: (caller: string, kind: StreamKind, address?: string) => Release
  /** A request that waits for its answer: it counts as a stream, since it may become one. */
  readonly answer: TakePlace
  readonly call: TakePlace
  readonly connection: TakePlace
  readonly answers: Places
  readonly calls: Places
}

type LimitMetrics = Pick<Metrics, 'rateLimited' | 'streamOpened' | 'streamClosed'>

/**
 * All sessions without a token at one address have as much as so many of them: one that uses up what
 * it has does not keep its neighbours behind a NAT out.
 */
const ADDRESS_FACTOR = 2

const SOON = { retryAfterSeconds: 1 }
/** Connections live on for a while, whatever their callers do next. */
const LATER = { retryAfterSeconds: 60 }

export function createLimits(settings: LimitSettings, metrics: LimitMetrics): Limits {
  const { maxStreams, maxNodeStreams, maxCalls, maxConnections } = settings
  const places = (most: number, scope: string, refusal: () => AppError) =>
    new CallerPlaces(most, () => {
      metrics.rateLimited(scope)
      return refusal()
    })
  const ofCaller = (most: number, scope: string, what: string, options: typeof SOON) => {
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
  const connections = ofCaller(maxConnections, 'connections', 'live connections', LATER)
  const answer = releasing(answers)
  const full = 'This node holds as many streams as it can.'
  const ofNode = places(maxNodeStreams, 'node_streams', () => {
    return new AppError('unavailable', full, SOON)
  })

  return {
    stream(caller, kind, address) {
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
    answer,
    call: releasing(calls),
    connection: releasing(connections),
    ...{ answers, calls },
  }
}

/** How many each has. */
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

/** A place of each, or none. */
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

/** Places are given back once, however often somebody does so. */
function once(release: Release): Release {
  let held = true
  return () => {
    if (held) release()
    held = false
  }
}
