/** A follower of streams that records what it receives. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Streams } from '../streams.ts'

export interface ReceivedEntry {
  readonly key: string
  readonly id: string
  readonly value: string
}

export type Recording = Awaited<ReturnType<typeof listen>>

export async function listen(
  streams: Streams,
  keys: readonly string[],
  after?: Readonly<Record<string, string>>,
) {
  const received: ReceivedEntry[] = []
  const follower = await streams.follow(
    keys,
    (key, entry) => received.push({ key, ...entry }),
    after,
  )

  return {
    received: received as readonly ReceivedEntry[],
    values: (key = keys[0] ?? ''): readonly string[] =>
      received.filter((entry) => entry.key === key).map(({ value }) => value),
    /** Waits for that many entries. */
    async until(count: number, withinMs = 30_000): Promise<void> {
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
