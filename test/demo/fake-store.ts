/** The little of the store that the demo provider uses, in memory; a stand-in for the drivers. */

import type { Changes, Document, PatchOptions, Store } from '../../src/store/port.ts'

type Entry = { value: Record<string, unknown>; rev: number; expiresAt: number }

export interface FakeStore extends Store {
  readonly entries: Map<string, Entry>
}

export function createFakeStore(): FakeStore {
  const entries = new Map<string, Entry>()
  const live = (key: string) => {
    const entry = entries.get(key)
    return entry && entry.expiresAt > Date.now() ? entry : undefined
  }
  const read = (key: string) => {
    const entry = live(key)
    return entry && structuredClone({ ...entry.value, rev: entry.rev })
  }
  const write = (key: string, value: Document, ttlSeconds: number) => {
    const expiresAt = Date.now() + ttlSeconds * 1000
    entries.set(key, { value: structuredClone(value), rev: (live(key)?.rev ?? 0) + 1, expiresAt })
  }
  const patch = async (key: string, changes: Changes, options: PatchOptions = {}) => {
    const entry = live(key)
    if (!entry) return { outcome: 'absent' } as const
    if (options.ifRev !== undefined && options.ifRev !== entry.rev) {
      return { outcome: 'conflict' } as const
    }
    for (const [path, value] of Object.entries(changes)) setPath(entry.value, path, value)
    return { outcome: 'written', rev: ++entry.rev } as const
  }
  const store = {
    entries,
    get: async (key: string) => read(key),
    set: async (...args: Parameters<typeof write>) => write(...args),
    create: async (key: string, value: Document, ttl: number) => {
      if (live(key)) return false
      write(key, value, ttl)
      return true
    },
    patch,
    delete: async (key: string) => entries.delete(key),
  }
  return store as unknown as FakeStore
}

function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.')
  const last = names.pop() ?? ''
  let parent = target
  for (const name of names) parent = parent[name] as Record<string, unknown>
  parent[last] = value
}
