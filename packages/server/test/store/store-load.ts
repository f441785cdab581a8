/** Load on a store during an event on its servers: failures of callers, and lost data. */

import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../src/errors.ts'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'

/** In the slot of the messages between nodes. */
const STREAM = '{nodes}:load'
const LIMITS = { maxLength: 100_000, ttlSeconds: 600 }
const WRITERS = 24
/** A pause, so that a busy machine keeps up. */
const PAUSE_MS = 5

export interface LoadFigures {
  /** Operations that failed with 503, by key. */
  readonly failed: ReadonlyMap<string, number>
  /** Results and errors that callers must never see. */
  readonly wrong: readonly string[]
  readonly acknowledged: number
  /** Acknowledged documents that do not exist at the end. */
  readonly lost: readonly string[]
  /** Acknowledged entries that the stream does not have at the end. */
  readonly lostEntries: readonly string[]
  /** Entries that the stream has at the end, and the follower has not received. */
  readonly undelivered: readonly string[]
  /** The longest time without a success of one key, in milliseconds. */
  readonly longestOutageMs: number
}

export interface StoreLoad {
  readonly keys: readonly string[]
  /** Waits until every key has been written again. */
  settle(): Promise<void>
  stop(): Promise<LoadFigures>
}

/** One writer for each of 24 keys, which also creates fresh documents, and one stream with a follower. */
export async function startLoad(store: Store): Promise<StoreLoad> {
  const keys = Array.from({ length: WRITERS }, () => newKey())
  const failed = new Map<string, number>()
  const wrong: string[] = []
  const successes = new Map<string, number>()
  const fresh: string[] = []
  const appended: string[] = []
  const received = new Set<string>()
  let acknowledged = 0
  let longestOutageMs = 0
  let stopping = false

  const follower = await store.streams.follow([STREAM], (_, { value }) => received.add(value))
  await Promise.all(keys.map((key) => store.set(key, { n: 0 }, 600)))

  function noteFailure(key: string, error: unknown): void {
    const isUnavailable = error instanceof AppError && error.code === 'unavailable'
    if (isUnavailable) failed.set(key, (failed.get(key) ?? 0) + 1)
    else wrong.push(`${key}: ${error}`)
  }

  /** Repeats the work; a round that fails counts, and is not repeated. */
  async function repeat(key: string, work: (round: number) => Promise<void>): Promise<void> {
    let succeededAt = performance.now()
    for (let round = 1; !stopping; round += 1) {
      try {
        await work(round)
        const now = performance.now()
        longestOutageMs = Math.max(longestOutageMs, now - succeededAt)
        succeededAt = now
        successes.set(key, (successes.get(key) ?? 0) + 1)
      } catch (error) {
        noteFailure(key, error)
      }
      await sleep(PAUSE_MS)
    }
  }

  const write = (key: string) => {
    let known = 0
    return repeat(key, async (round) => {
      const found = await store.get<{ n: number }>(key)
      if (found === undefined) wrong.push(`${key}: not found`)
      else if (found.n < known) wrong.push(`${key}: ${found.n} after ${known}`)
      await store.set(key, { n: round }, 600)
      known = round
      const name = `${key}:${round}`
      if (await store.create(name, { round }, 600)) fresh.push(name)
      else wrong.push(`${name}: exists`)
      acknowledged += 2
    })
  }
  const append = repeat(STREAM, async (round) => {
    await store.streams.append(STREAM, `${round}`, LIMITS)
    appended.push(`${round}`)
    acknowledged += 1
  })
  const running = [...keys.map(write), append]

  return {
    keys,
    async settle() {
      const before = new Map(successes)
      const names = [...keys, STREAM]
      const isBehind = (key: string) => (successes.get(key) ?? 0) < (before.get(key) ?? 0) + 5
      while (names.some(isBehind)) await sleep(20)
    },
    async stop() {
      stopping = true
      await Promise.all(running)
      const found = await store.getAll(fresh)
      const entries = (await store.streams.read(STREAM, '0')).map(({ value }) => value)
      const stored = new Set(entries)
      for (
        let round = 0;
        round < 100 && entries.some((entry) => !received.has(entry));
        round += 1
      ) {
        await sleep(50)
      }
      await follower.close()
      return {
        ...{ failed, wrong, acknowledged, longestOutageMs },
        lost: fresh.filter((_, at) => found[at] === undefined),
        lostEntries: appended.filter((entry) => !stored.has(entry)),
        undelivered: entries.filter((entry) => !received.has(entry)),
      }
    },
  }
}
