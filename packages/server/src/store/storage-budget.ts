/**
 * How many bytes strangers may have this deployment store: per network and minute, counted in the
 * store for all nodes together. Callers with an access token have no budget to exhaust.
 */

import { AppError } from '../errors.ts'
import type { RateLimits, Standing } from './rate-limits.ts'

/** The budget of one network. */
export interface StorageBudget {
  /**
   * Counts what is about to be stored.
   * @throws AppError `too_many_requests`, with the seconds to the end of the window, when it exceeds
   * the budget: nothing may be stored then; `unavailable` when the store is
   */
  spend(bytes: number): Promise<void>
  /** Counts what is stored in any case; nobody waits. Later calls of `spend` see it. */
  charge(bytes: number): void
  /** Whether this node knows the budget to be exhausted. Does not ask the store. */
  isSpent(): boolean
}

/** The budget of a network; without a network, of callers that are not counted. */
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
    }
  }
}

function refuseIfOver(standings: readonly Standing[]): void {
  const over = standings.find(({ isOver }) => isOver)
  if (over === undefined) return
  const { secondsLeft: retryAfterSeconds } = over
  const message = `Too much is stored for your address. Try again in ${retryAfterSeconds} seconds.`
  throw new AppError('too_many_requests', message, { retryAfterSeconds })
}

/** What a store needs for a key and its expiry, besides name and value; measured on Redis 7. */
const KEY_OVERHEAD = 200

/** Nonce, tag and the entry's own fields. */
const ENTRY_OVERHEAD = 80

/** Bytes of JSON text, in UTF-8. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}

/** About what a document needs in the store, in bytes. */
export function documentBytes(value: unknown): number {
  return jsonBytes(value) + KEY_OVERHEAD
}

/** What a stream needs besides its entries: Redis allocates 4 kB for the first of them. */
export const STREAM_OVERHEAD = 4800

/** About what JSON text needs as an entry of a stream, sealed. */
export function entryBytes(text: string): number {
  return Math.ceil((Buffer.byteLength(text) * 4) / 3) + ENTRY_OVERHEAD
}

/** About what JSON needs in the store once it is sealed, which base64 lengthens by a third. */
export function sealedBytes(value: unknown): number {
  return Math.ceil((jsonBytes(value) * 4) / 3) + KEY_OVERHEAD
}
