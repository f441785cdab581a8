/** How the store connects: RESP 2, TLS with names and certificates, and the name of a connection. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { expect, it, onTestFinished } from 'vitest'
import type { OpenedStore } from '../../src/store/contract/store-nodes.ts'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'
import { askRedis } from '../support/ask-redis.ts'
import { freePort } from '../support/free-port.ts'
import { launch, startRedis } from '../support/redis.ts'
import { addSlots, SLOTS, startRedisCluster } from '../support/redis-cluster.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { certificateFor } from '../support/tls-certificates.ts'
import { storeContract } from './contract.ts'
import { connectedStore } from './redis-stores.ts'

const WITHOUT_HELLO = ['--rename-command', 'HELLO', '']

describeRedis('plain', 'a store in a Redis Cluster without HELLO', () => {
  storeContract(async (): Promise<OpenedStore> => {
    const cluster = await startRedisCluster({ args: WITHOUT_HELLO })
    const nodes = [
      await connectedStore(cluster.url),
      await connectedStore(cluster.url, { protocol: 2 }),
    ] as const
    const close = async () => {
      await Promise.all(nodes.map((node) => node.close()))
      await cluster.stop()
    }
    return { nodes, close }
  })
})

describeRedis('plain', 'a store on a server without HELLO', () => {
  storeContract(async (): Promise<OpenedStore> => {
    const server = await startRedis('plain', WITHOUT_HELLO)
    const nodes = [
      await connectedStore(server.url),
      await connectedStore(server.url, { protocol: 2 }),
    ] as const
    const close = async () => {
      await Promise.all(nodes.map((node) => node.close()))
      await server.stop()
    }
    return { nodes, close }
  })

  it('is ready', async () => {
    const server = await startRedis('plain', WITHOUT_HELLO)
    onTestFinished(() => server.stop())
    const store = await connectedStore(server.url)
    onTestFinished(() => store.close())
    await expect.poll(() => store.checkHealth().catch(String)).toEqual({ warnings: [] })
  })

  it('is not connected to with RESP 3 alone', async () => {
    const server = await startRedis('plain', WITHOUT_HELLO)
    onTestFinished(() => server.stop())
    const log = { info: () => undefined, warn: () => undefined }
    const store = createRedisStore({ url: server.url, log, protocol: 3 })
    onTestFinished(() => store.close())
    const reason = () => store.checkHealth().catch(({ message }) => message)
    await expect.poll(reason).toMatch(/does not know/)
  })
})

describeRedis('plain', 'a connection', () => {
  it('has the name that is configured, in either protocol', async () => {
    const server = await startRedis('plain')
    onTestFinished(() => server.stop())
    const admin = await createClient({ url: server.url }).connect()
    onTestFinished(() => admin.destroy())
    for (const protocol of [2, 3] as const) {
      const store = await connectedStore(server.url, { protocol, clientName: `mcp-${protocol}` })
      onTestFinished(() => store.close())
      const list = async () => String(await admin.sendCommand(['CLIENT', 'LIST']))
      await expect.poll(list).toMatch(`name=mcp-${protocol} `)
    }
  })
})

const HAS_IPV6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
)

describeRedis('plain', 'a store at an IPv6 address', () => {
  it.skipIf(!HAS_IPV6).each(['redis', 'redis+cluster'])('is connected to: %s', async (scheme) => {
    const isCluster = scheme !== 'redis'
    const announced = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '::1']
    const args = ['--bind', '127.0.0.1 ::1', ...(isCluster ? announced : [])]
    const server = await startRedis('plain', args)
    onTestFinished(() => server.stop())
    if (isCluster) await askRedis(server, ...addSlots(0, SLOTS))
    const store = await connectedStore(`${scheme}://[::1]:${server.port}`)
    onTestFinished(() => store.close())
    await expect.poll(() => store.set('key', { a: 1 }, 60).catch(String)).toBeUndefined()
    expect(await store.get('key')).toEqual({ a: 1, rev: 1 })
  })
})

describeRedis('plain', 'a store at a Unix domain socket', () => {
  it('is connected to, with streams, a password and a database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-socket-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'redis.sock')
    const server = await startRedis('plain', ['--unixsocket', path])
    onTestFinished(() => server.stop())
    const admin = await createClient({ url: server.url }).connect()
    onTestFinished(() => admin.destroy())
    await admin.configSet('requirepass', 'p@ss')
    const store = await connectedStore(`unix://:p%40ss@${path}?db=3`)
    onTestFinished(() => store.close())
    await store.set('key', { a: 1 }, 60)
    await admin.select(3)
    expect(await admin.exists('mcp:key')).toBe(1)
    const seen: string[] = []
    const follower = await store.streams.follow(['a'], (_, { value }) => void seen.push(value))
    onTestFinished(() => follower.close())
    await store.streams.append('a', 'entry', { maxLength: 10, ttlSeconds: 60 })
    await expect.poll(() => seen).toEqual(['entry'])
  })
})

describeRedis('plain', 'a store with TLS', () => {
  const HOST = 'redis.internal'

  /** A cluster of one node, which announces its IP address and demands a client certificate. */
  async function startTls(host = HOST) {
    const certificates = certificateFor(host)
    const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'))
    const file = (name: string) => join(folder, name)
    for (const [name, text] of Object.entries(certificates)) await writeFile(file(name), text)
    const [port, busPort] = [await freePort(), await freePort()]
    const options = {
      ...{ port: 0, 'tls-port': port, 'cluster-port': busPort, bind: '127.0.0.1', dir: folder },
      ...{ 'tls-ca-cert-file': file('ca'), 'tls-cert-file': file('cert') },
      ...{ 'tls-key-file': file('key'), 'cluster-enabled': 'yes', 'tls-cluster': 'yes', save: '' },
    }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
    const running = await launch(['redis-server', ...args])
    onTestFinished(async () => {
      await running.kill()
      await rm(folder, { recursive: true, force: true })
    })
    const socket = {
      ...{ host: '127.0.0.1', port, tls: true as const },
      ...certificates,
      servername: host,
    }
    const admin = createClient({ socket: { ...socket, reconnectStrategy: 50 } })
    admin.on('error', () => undefined)
    await admin.connect()
    await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    await expect.poll(() => admin.clusterInfo()).toContain('cluster_state:ok')
    admin.destroy()
    return { port, certificates }
  }

  it('checks the certificates of a cluster, and shows its own', async () => {
    const { port, certificates } = await startTls()
    const open = (options: Partial<RedisStoreOptions>) =>
      connectedStore(`rediss+cluster://127.0.0.1:${port}`, options)
    const store = await open({ certificates, tlsName: HOST })
    onTestFinished(() => store.close())
    await store.set('key', { a: 1 }, 60)
    expect(await store.get('key')).toEqual({ a: 1, rev: 1 })

    const log = { info: () => undefined, warn: () => undefined }
    const refused = async (options: Partial<RedisStoreOptions>) => {
      const url = `rediss+cluster://127.0.0.1:${port}`
      const other = createRedisStore({ url, log, ...options })
      onTestFinished(() => other.close())
      await expect
        .poll(() => other.checkHealth().catch(({ message }) => message))
        .toMatch(/certificate is not accepted|connection fails/)
    }
    // Another name, another authority, and no certificate of its own.
    await refused({ certificates, tlsName: 'other.internal' })
    await refused({ certificates: certificateFor(HOST), tlsName: HOST })
    await refused({ certificates: { ca: certificates.ca }, tlsName: HOST })
  })

  it('sends the host name of a single server, and verifies it', async () => {
    const { port, certificates } = await startTls('localhost')
    const store = await connectedStore(`rediss://localhost:${port}`, { certificates })
    onTestFinished(() => store.close())
    await store.set('key', { a: 1 }, 60)
    expect(await store.get('key')).toEqual({ a: 1, rev: 1 })
    const log = { info: () => undefined, warn: () => undefined }
    const { ca: _, ...withoutAuthority } = certificates
    const other = createRedisStore({
      ...{ url: `rediss://localhost:${port}`, certificates: withoutAuthority, log },
    })
    onTestFinished(() => other.close())
    const reason = () => other.checkHealth().catch(({ message }) => message)
    await expect.poll(reason).toMatch(/TLS certificate is not accepted/)
  })
})
