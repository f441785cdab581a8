/** The contents of a Redis, and every command that was sent to it. */

import { createClient } from '@redis/client'
import type { RedisServer } from '../../support/redis.ts'
import { openRedisAdmin, type RedisClient } from '../../support/redis-admin.ts'

export interface RedisWatch {
  /** Every command that any client has sent since, to any of its servers. */
  readonly commands: readonly string[]
  /** Everything that is in it now, keys included; refuses a key that never expires. */
  dump(): Promise<string>
  close(): Promise<void>
}

export async function watchRedis(redis: Pick<RedisServer, 'servers'>): Promise<RedisWatch> {
  const admin = await openRedisAdmin(redis)
  const monitors = redis.servers.map(({ url }) => createClient({ url }))
  const commands: string[] = []
  for (const monitor of monitors) {
    monitor.on('error', () => undefined)
    await monitor.connect()
    await monitor.monitor((command) => void commands.push(String(command)))
  }

  async function read(client: RedisClient, key: string): Promise<unknown> {
    const type = await client.type(key)
    switch (type) {
      case 'string':
        return client.get(key)
      case 'ReJSON-RL':
        return client.sendCommand(['JSON.GET', key])
      case 'hash':
        return client.hGetAll(key)
      case 'list':
        return client.lRange(key, 0, -1)
      case 'set':
        return client.sMembers(key)
      case 'zset':
        return client.zRange(key, 0, -1)
      case 'stream':
        return client.xRange(key, '-', '+')
      case 'none':
        return undefined
      default:
        throw new Error(`${key} is a ${type}, which nobody looks into`)
    }
  }

  return {
    commands,
    async dump() {
      const parts: string[] = []
      for (const key of await admin.keys('*')) {
        const value = await admin.at(key, (client) => read(client, key))
        const ttl = await admin.at(key, (client) => client.pTTL(key))
        // It may have expired since it was listed.
        if (ttl === -1) throw new Error(`${key} never expires`)
        parts.push(`${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      }
      return parts.join('\n')
    },
    async close() {
      for (const monitor of monitors) monitor.destroy()
      admin.destroy()
    },
  }
}
