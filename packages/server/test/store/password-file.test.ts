/** Passwords in files that change while the server runs, on every topology. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'
import { startApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type RedisTopologyServers, startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis } from '../support/redis-commands.ts'
import { startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { INITIALIZE, post } from '../support/wire.ts'

type Port = Pick<RedisServer, 'port'>
type Servers = Pick<RedisTopologyServers, 'url' | 'servers' | 'stop'> & {
  readonly sentinels?: readonly Port[]
}

async function startSingle(): Promise<Servers> {
  const server = await startRedis('plain')
  return { url: server.url, servers: [server], stop: server.stop }
}

const TOPOLOGIES: Readonly<Record<string, () => Promise<Servers>>> = {
  'one server': startSingle,
  Sentinel: () => startRedisSentinels(),
  'a cluster': () => startRedisCluster(),
}

const LONG = { timeout: 240_000 }
const SOON = { interval: 20 }

/** Users of the data servers and of the Sentinels, whose passwords are in two files. */
async function startWithUsers(start: () => Promise<Servers>) {
  const { url, servers, sentinels = [], stop } = await start()
  onTestFinished(stop)
  const folder = await mkdtemp(join(tmpdir(), 'canary-folder-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'password')
  const sentinelFile = join(folder, 'sentinel-password')
  const rights = ['reset', 'on', '~*', '&*', '+@all']
  const setPassword = async (all: readonly Port[], user: string, password: string) => {
    for (const each of all)
      await sendToRedis(each, 'ACL', 'SETUSER', user, ...rights, `>${password}`)
  }
  const users = {
    ...{ servers, file, sentinelFile, url: url.replace('//', '//mcp@') },
    setPassword: (password: string) => setPassword(servers, 'mcp', password),
    setSentinelPassword: (password: string) => setPassword(sentinels, 'watcher', password),
    async dropConnections() {
      for (const each of servers) await sendToRedis(each, 'CLIENT', 'KILL', 'USER', 'mcp')
    },
    /** Opens a store with the files. */
    open(options: Partial<RedisStoreOptions> = {}) {
      const lines: { readonly fields: object; readonly message: string }[] = []
      const note = (fields: object, message: string) => void lines.push({ fields, message })
      const sentinel = { name: 'main', username: 'watcher', passwordFile: sentinelFile }
      const store = createRedisStore({
        ...{ url: users.url, log: { info: note, warn: note } },
        ...{ passwordFile: file, ...(sentinels.length > 0 && { sentinel }), ...options },
      })
      onTestFinished(() => store.close())
      const health = () =>
        store.checkHealth().then(
          ({ warnings: [warning] }) => warning?.message ?? 'healthy',
          ({ message }) => message,
        )
      return { store, lines, health }
    },
  }
  await users.setPassword('canary-a')
  await users.setSentinelPassword('canary-a-of-sentinels')
  // As tools write them, with a newline or without.
  await writeFile(file, 'canary-a\n')
  await writeFile(sentinelFile, 'canary-a-of-sentinels')
  return users
}

for (const [topology, start] of Object.entries(TOPOLOGIES)) {
  describeRedis('plain', `a password in a file, with ${topology}`, () => {
    it('is read again for new connections, and running ones stay', LONG, async () => {
      const users = await startWithUsers(start)
      const { store, lines, health } = users.open()
      await expect.poll(health, SOON).toBe('healthy')
      const key = newKey()
      await store.set(key, { a: 1 }, 600)
      await users.setPassword('canary-b')
      await writeFile(users.file, 'canary-b')
      expect(await store.get(key)).toEqual({ a: 1, rev: 1 })
      expect(await health()).toBe('healthy')
      expect(lines.map(({ message }) => message).join()).not.toMatch(/unreachable|unavailable/)
      await users.dropConnections()
      await expect.poll(() => store.get(key).catch(String), SOON).toEqual({ a: 1, rev: 1 })
      await expect.poll(health, SOON).toBe('healthy')
    })

    it('may be late: until then all is unavailable, and says why', LONG, async () => {
      const users = await startWithUsers(start)
      const { store, lines, health } = users.open()
      await expect.poll(health, SOON).toBe('healthy')
      const key = newKey()
      await store.set(key, { a: 1 }, 600)
      await users.setPassword('canary-b')
      await users.dropConnections()
      await expect.poll(health, SOON).toMatch(/\(WRONGPASS\).*REDIS_PASSWORD_FILE/)
      expect(await store.get(key).catch(({ status }) => status)).toBe(503)
      const logged = expect.objectContaining({ reason: 'wrong_credentials' })
      expect(lines).toContainEqual({ fields: logged, message: 'Redis cannot serve requests.' })
      await writeFile(users.file, '')
      await expect.poll(health, SOON).toMatch(/REDIS_PASSWORD_FILE names an empty file/)
      await rm(users.file)
      await expect.poll(health, SOON).toMatch(/REDIS_PASSWORD_FILE .*cannot be read \(ENOENT\)/)
      await writeFile(users.file, 'canary-b\r\n')
      await expect.poll(health, SOON).toBe('healthy')
      expect(await store.get(key)).toEqual({ a: 1, rev: 1 })
      expect(inspect(lines, { depth: 6 })).not.toContain('canary-')
    })

    it('is used for streams, too', LONG, async () => {
      const users = await startWithUsers(start)
      const { store, health } = users.open()
      await expect.poll(health, SOON).toBe('healthy')
      const seen: string[] = []
      const key = `{${newKey()}}`
      const follower = await store.streams.follow([key], (_, { value }) => void seen.push(value))
      onTestFinished(() => follower.close())
      const append = (value: string) =>
        store.streams.append(key, value, { maxLength: 10, ttlSeconds: 600 }).catch(() => undefined)
      await append('before')
      await expect.poll(() => seen, SOON).toEqual(['before'])
      await users.setPassword('canary-b')
      await writeFile(users.file, 'canary-b')
      await users.dropConnections()
      await expect.poll(() => append('after'), SOON).toEqual(expect.any(String))
      await expect.poll(() => seen, SOON).toEqual(['before', 'after'])
    })
  })
}

describeRedis('plain', 'the password of Sentinels in a file', () => {
  it('is read again for each query', LONG, async () => {
    const users = await startWithUsers(() => startRedisSentinels())
    await users.setSentinelPassword('canary-b-of-sentinels')
    const { store, lines, health } = users.open()
    await expect.poll(health, SOON).toMatch(/^The Sentinels .*REDIS_SENTINEL_PASSWORD_FILE/)
    await rm(users.sentinelFile)
    await expect.poll(health, SOON).toMatch(/REDIS_SENTINEL_PASSWORD_FILE .*\(ENOENT\)/)
    await writeFile(users.sentinelFile, 'canary-b-of-sentinels')
    await expect.poll(health, SOON).toBe('healthy')
    // The connection to the master stays while the Sentinels cannot be queried.
    await users.setSentinelPassword('canary-c-of-sentinels')
    const failed = () => lines.filter(({ message }) => /discovery failed/.test(message)).length
    const before = failed()
    await expect.poll(failed, SOON).toBeGreaterThan(before)
    expect(await health()).toBe('healthy')
    await store.set(newKey(), { a: 1 }, 60)
  })
})

for (const [topology, start] of Object.entries(TOPOLOGIES)) {
  describeRedis('plain', `REDIS_PASSWORD_FILE of a server, with ${topology}`, () => {
    it('makes it ready, unready while it is wrong, and ready again', LONG, async () => {
      const users = await startWithUsers(start)
      const { url, file, sentinelFile } = users
      const atSentinels = {
        REDIS_SENTINEL_USERNAME: 'watcher',
        REDIS_SENTINEL_PASSWORD_FILE: sentinelFile,
      }
      const app = await startApp({
        env: {
          ...{ REDIS_URL: url, REDIS_PASSWORD_FILE: file },
          ...(url.includes('sentinel') && atSentinels),
        },
      })
      onTestFinished(() => app.stop())
      const readiness = async () => {
        const response = await fetch(`${app.url}/readyz`)
        return `${response.status} ${await response.text()}`
      }
      await expect.poll(readiness, SOON).toBe('200 {"status":"ok"}')
      await users.setPassword('canary-b')
      await users.dropConnections()
      await expect.poll(readiness, SOON).toMatch(/^503.*REDIS_PASSWORD_FILE/)
      expect((await post(app.url, INITIALIZE)).status).toBe(503)
      await writeFile(file, 'canary-b')
      await expect.poll(readiness, SOON).toBe('200 {"status":"ok"}')
      expect((await post(app.url, INITIALIZE)).status).toBe(200)
      expect(app.lines.join('')).not.toContain('canary-')
    })
  })
}

/** A TCP proxy that can make the server forget who is connected, as it forgets an expired token. */
async function startForgetful(to: number) {
  const open = new Set<{ readonly near: Socket; readonly far: Socket }>()
  const proxy = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    const pair = { near, far }
    open.add(pair)
    near.pipe(far)
    // The reply of RESET is not for the client.
    far.on('data', (chunk) =>
      near.write(chunk.toString('latin1').replace('+RESET\r\n', ''), 'latin1'),
    )
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined)
      one.once('close', () => {
        open.delete(pair)
        other.destroy()
      })
    }
  })
  const port = await freePort()
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  return {
    port,
    forget() {
      for (const { far } of open) far.write('*1\r\n$5\r\nRESET\r\n')
    },
  }
}

describeRedis('plain', 'a server that no longer knows who is connected (NOAUTH)', () => {
  it('is connected to again, with the password of the moment', LONG, async () => {
    const users = await startWithUsers(startSingle)
    const [server] = users.servers
    const proxy = await startForgetful(server?.port ?? 0)
    const { store, lines, health } = users.open({ url: `redis://mcp@127.0.0.1:${proxy.port}` })
    await expect.poll(health, SOON).toBe('healthy')
    const key = newKey()
    await store.set(key, { a: 1 }, 600)
    await sendToRedis(server ?? { port: 0 }, 'ACL', 'SETUSER', 'default', 'resetpass', '>other')
    proxy.forget()
    await expect.poll(() => store.get(key).catch(({ status }) => status), SOON).toBe(503)
    await expect.poll(() => store.get(key).catch(String), SOON).toEqual({ a: 1, rev: 1 })
    await expect.poll(health, SOON).toBe('healthy')
    const lost = lines.filter(({ message }) => message === 'Redis unreachable; reconnecting')
    expect(lost.map(({ fields }) => inspect(fields))).toEqual([expect.stringMatching(/NOAUTH/)])
  })
})
