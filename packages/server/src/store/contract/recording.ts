/** A follower of streams that records what it receives. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Streams } from '../streams.ts'

export interface ReceivedEntry {
  readonly key: string
  readonly id: string
  readonly value: string
}

export interface Recording {
  readonly received: readonly ReceivedEntry[]
  values(key?: string): readonly string[]
  /** Waits for that many entries. */
  until(count: number, withinMs?: number): Promise<void>
  close(): Promise<void>
}

export async function listen(
  streams: Streams,
  keys: readonly string[],
  after?: Readonly<Record<string, string>>,
): Promise<Recording> {
  const received: ReceivedEntry[] = []
  const follower = await streams.follow(
    keys,
    (key, entry) => received.push({ key, ...entry }),
    after,
  )

  return {
    received,
    values: (key = keys[0] ?? '') =>
      received.filter((entry) => entry.key === key).map(({ value }) => value),
    async until(count, withinMs = 10_000) {
      const giveUpAt = performance.now() + withinMs
      while (received.length < count) {
        if (performance.now() > giveUpAt)
          throw new Error(`${received.length} of ${count} received.`)
        await sleep(5)
      }
    },
    close: follower.close,
  }
}

/** Texts of the numbers from `first` to `last`. */
export function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}`)
}
