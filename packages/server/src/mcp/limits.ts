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

type TakeOnePlace = (caller: string) => Release

/**
 * Takes a place, for the `address` as well where a caller without a token has a session: whoever has
 * none opens as many sessions as it likes.
 * @throws AppError `too_many_requests` when one of them has as many as it may
 */
type TakePlace = (caller: string, address?: string) => Release

export interface Limits {
  /** A stream to listen to. Throws `unavailable` as well, when the node holds as many as it can. */
  readonly stream: (caller: string, kind: StreamKind, address?: string) => Release
  /** A request that waits for its answer: it counts as a stream, since it may become one. */
  readonly answer: TakePlace
  readonly call: TakePlace
  readonly connection: TakePlace
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
    createPlaces(most, () => {
      metrics.rateLimited(scope)
      return refusal()
    })
  const ofCaller = (most: number, scope: string, what: string, options: typeof SOON) => {
    const refusal = (message: string) => () =>
      new AppError('too_many_requests', `Too many ${what}: ${message}`, options)
    const mostOfAddress = most * ADDRESS_FACTOR
    return alsoForAddress(
      places(most, scope, refusal(`one caller may have ${most} on a node.`)),
      places(
        mostOfAddress,
        scope,
        refusal(`an address may have ${mostOfAddress} on a node without a token.`),
      ),
    )
  }
  const answer = ofCaller(maxStreams, 'streams', 'open streams', SOON)
  const full = 'This node holds as many streams as it can.'
  const ofNode = places(maxNodeStreams, 'node_streams', () => {
    return new AppError('unavailable', full, SOON)
  })

  return {
    stream(caller, kind, address) {
      const release = answer(caller, address)
      try {
        const releaseOfNode = ofNode('')
        metrics.streamOpened(kind)
        return once(() => {
          release()
          releaseOfNode()
          metrics.streamClosed(kind)
        })
      } catch (error) {
        release()
        throw error
      }
    },
    answer,
    call: ofCaller(maxCalls, 'calls', 'running calls', SOON),
    connection: ofCaller(maxConnections, 'connections', 'live connections', LATER),
  }
}

/** Takes a place of each, or none. */
function alsoForAddress(ofCaller: TakeOnePlace, ofAddress: TakeOnePlace): TakePlace {
  return (caller, address = caller) => {
    const release = ofCaller(caller)
    if (address === caller) return release
    try {
      const releaseOfAddress = ofAddress(address)
      return once(() => {
        release()
        releaseOfAddress()
      })
    } catch (error) {
      release()
      throw error
    }
  }
}

function createPlaces(most: number, refusal: () => AppError): TakeOnePlace {
  const taken = new Map<string, number>()

  function change(caller: string, by: 1 | -1): void {
    const count = (taken.get(caller) ?? 0) + by
    if (count === 0) taken.delete(caller)
    else taken.set(caller, count)
  }

  return (caller) => {
    if ((taken.get(caller) ?? 0) >= most) throw refusal()
    change(caller, 1)
    return once(() => change(caller, -1))
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
