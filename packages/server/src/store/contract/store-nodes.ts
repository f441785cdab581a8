/** Two nodes of one store, as the contract's tests use them. */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Document, Store } from '../port.ts'
import type { AppendOptions } from '../streams.ts'

export const MINUTE = 60

/** Limits that no stream of the suite reaches. */
export const STREAM_LIMITS = { maxLength: 1000, ttlSeconds: MINUTE }

export interface OpenedStore {
  /** Two nodes on the same data; may be the same object. */
  readonly nodes: readonly [Store, Store]
  close(): Promise<void>
}

export interface Nodes {
  readonly one: Store
  readonly other: Store
  /** Sets a document under an unused key, and returns the key. */
  given(value: Document, ttlSeconds?: number): Promise<string>
  /** Appends to a stream on the first node, within `STREAM_LIMITS` unless others are given. */
  append(key: string, value: string, options?: Partial<AppendOptions>): Promise<string | undefined>
  /** The values of a stream, read on the other node. */
  valuesOf(key: string, after?: string, limit?: number): Promise<readonly string[]>
  /** Runs one operation 50 times concurrently, alternating between the nodes. */
  race<T>(operation: (node: Store, index: number) => Promise<T>): Promise<T[]>
}

/** The nodes, available once `use` was called: tests are declared before their store is open. */
export function createNodes(): Nodes & { use(opened: OpenedStore): void } {
  let opened: OpenedStore | undefined

  function node(index: number): Store {
    const found = opened?.nodes[index % 2]
    if (!found) throw new Error('The store is not open.')
    return found
  }

  return {
    get one() {
      return node(0)
    },
    get other() {
      return node(1)
    },
    async given(value, ttlSeconds = MINUTE) {
      const key = newKey()
      await node(0).set(key, value, ttlSeconds)
      return key
    },
    append: (key, value, options) =>
      node(0).streams.append(key, value, { ...STREAM_LIMITS, ...options }),
    valuesOf: async (key, after = '0', limit) =>
      (await node(1).streams.read(key, after, limit)).map(({ value }) => value),
    race: (operation) =>
      Promise.all(Array.from({ length: 50 }, (_, index) => operation(node(index), index))),
    use(nodes) {
      opened = nodes
    },
  }
}

/** An unused key. */
export function newKey(): string {
  return `test:{${randomUUID()}}`
}

/** Repeats steps that must end before something expires, as long as a busy machine takes longer. */
export async function within<T>(milliseconds: number, steps: () => Promise<T>): Promise<T> {
  for (;;) {
    const startedAt = performance.now()
    const result = await steps()
    if (performance.now() - startedAt < milliseconds) return result
  }
}

/**
 * Waits until a document has expired.
 * @throws Error if it still exists after 30 s
 */
export async function untilGone(node: Store, key: string): Promise<void> {
  const giveUpAt = performance.now() + 30_000
  while ((await node.get(key)) !== undefined) {
    if (performance.now() > giveUpAt) throw new Error('The document does not expire.')
    await sleep(5)
  }
}
