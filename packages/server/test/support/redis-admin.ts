/** Direct access to Redis for tests, bypassing the store, on any topology. */

import { createClient } from '@redis/client'
import type { RedisServer } from './redis.ts'

export type RedisClient = ReturnType<typeof createClient>

export interface RedisAdmin {
  /** The keys of all shards, without duplicates. */
  keys(pattern: string): Promise<readonly string[]>
  /** Runs a command at the master that owns the key. */
  at<T>(key: string, work: (master: RedisClient) => Promise<T>): Promise<T>
  /** Runs a command at every server, replicas included. */
  atAll<T>(work: (server: RedisClient) => Promise<T>): Promise<readonly T[]>
  destroy(): void
}

/** Connects to all servers; determines the masters once. */
export async function openRedisAdmin({
  servers,
}: Pick<RedisServer, 'servers'>): Promise<RedisAdmin> {
  const clients = await Promise.all(servers.map(({ url }) => createClient({ url }).connect()))
  const masters: typeof clients = []
  for (const client of clients) {
    client.on('error', () => undefined)
    if (String(await client.sendCommand(['ROLE'])).startsWith('master')) masters.push(client)
  }
  const atAll: RedisAdmin['atAll'] = (work) =>
    Promise.all(clients.map((client) => work(client as RedisClient)))
  return {
    atAll,
    async keys(pattern) {
      return (await Promise.all(masters.map((master) => master.keys(pattern)))).flat()
    },
    async at(key, work) {
      for (const master of masters) {
        try {
          return await work(master as RedisClient)
        } catch (error) {
          if (!/^MOVED/.test((error as Error).message)) throw error
        }
      }
      throw new Error(`no master has the slot of ${key}`)
    },
    destroy() {
      for (const client of clients) client.destroy()
    },
  }
}
