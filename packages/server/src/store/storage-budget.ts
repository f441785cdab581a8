/**
 * Bounds the bytes that callers without a token may have this deployment store, per network and
 * minute, over all nodes. Callers with an access token are not counted.
 */

import { AppError } from '../errors.ts'
import type { RateLimitState, RateLimits } from './rate-limits.ts'

/** The budget of one network. */
export interface StorageBudget {
  /**
   * Counts bytes before they are stored.
   * @throws AppError `too_many_requests`, with the seconds to the end of the window, when it exceeds
   * the budget, and nothing may be stored; `unavailable` when the store is unavailable
   */
  spend(bytes: number): Promise<void>
  /** Counts bytes that are stored in any case, without waiting. Later calls of `spend` see them. */
  charge(bytes: number): void
  /** Whether this node knows the budget to be exhausted. Does not read the store. */
  isSpent(): boolean
  /** The network; undefined for callers that are not counted. */
  readonly network?: string
}

/** The budget of a network; unlimited for callers that are not counted. */
export type StorageBudgets = (network: string | undefined) => StorageBudget

/** For callers that are not counted, such as those with an access token. */
export const UNLIMITED: StorageBudget = {
  spend: async () => undefined,
  charge: () => undefined,
  isSpent: () => false,
}

export interface StorageBudgetOptions {
  /** Bytes per network and minute. */
  readonly storedRate: number
}

export function createStorageBudgets(
  limits: Pick<RateLimits, 'count' | 'over'>,
  { storedRate }: StorageBudgetOptions,
): StorageBudgets {
  const rate = { calls: storedRate, perSeconds: 60 }
  return (network) => {
    if (network === undefined) return UNLIMITED
    const counting = { limit: 'stored', who: network, rate }
    return {
      spend: async (bytes) => refuseIfOver(await limits.count([{ ...counting, by: bytes }])),
      charge: (bytes) => void limits.count([{ ...counting, by: bytes }]).catch(() => undefined),
      isSpent: () => limits.over([counting]).length > 0,
      network,
    }
  }
}

function refuseIfOver(limitStates: readonly RateLimitState[]): void {
  const over = limitStates.find(({ isOver }) => isOver)
  if (over === undefined) return
  const { secondsLeft: retryAfterSeconds } = over
  const message = `The storage budget of your address is exhausted. Try again in ${retryAfterSeconds} seconds.`
  throw new AppError('too_many_requests', message, { retryAfterSeconds })
}

/** Overhead of a key with expiry, without name and value; measured on Redis 7. */
const KEY_OVERHEAD = 200

/** Nonce, tag and the entry's own fields. */
const ENTRY_OVERHEAD = 80

/** Bytes of JSON text, in UTF-8. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}

/** Estimated size of a document in the store, in bytes. */
export function documentBytes(value: unknown): number {
  return jsonBytes(value) + KEY_OVERHEAD
}

/** Overhead of a stream: Redis allocates 4 kB for its first entry. */
export const STREAM_OVERHEAD = 4800

/** Estimated size of JSON text as a sealed stream entry, in bytes. */
export function entryBytes(text: string): number {
  return Math.ceil((Buffer.byteLength(text) * 4) / 3) + ENTRY_OVERHEAD
}

/** Estimated size of sealed JSON in the store, in bytes; base64 adds a third. */
export function sealedBytes(value: unknown): number {
  return Math.ceil((jsonBytes(value) * 4) / 3) + KEY_OVERHEAD
}
