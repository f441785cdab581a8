/** The permissions in docs/operations.md are enough, on a real Redis that grants nothing else. */

import { createClient } from '@redis/client'
import { expect, onTestFinished, test } from 'vitest'
import type { OpenedStore } from '../../src/store/contract/store-nodes.ts'
import { readDocuments, sectionOf } from '../docs/markdown.ts'
import { startApp } from '../support/app.ts'
import { askRedis } from '../support/ask-redis.ts'
import { connectClient, errorCode, structured } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { type RedisTopologyServers, startRedisCluster } from '../support/redis-cluster.ts'
import { startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { storeContract } from './contract.ts'
import { connectedStore } from './redis-stores.ts'

const operations = readDocuments().find(({ file }) => file === 'docs/operations.md')
const section = sectionOf(operations ?? expect.fail('no docs/operations.md'), 'The Redis user')
const [user = '', forJson = '', forCluster = '', forSentinel = ''] = section
  .split('\n')
  .filter((line) => line.startsWith('ACL '))

/** A server whose default user is off, with the user of the document. */
async function startLimited(kind: RedisKind) {
  const server = await startRedis(kind)
  const admin = await createClient({ url: server.url }).connect()
  for (const line of kind === 'json' ? [user, forJson] : [user]) {
    await admin.sendCommand(line.split(' '))
  }
  admin.destroy()
  return { server, url: server.url.replace('//', '//mcp:PASSWORD@') }
}

/** The user on all servers; the default user is left to the servers among themselves. */
async function startLimitedTopology(servers: RedisTopologyServers, more: string) {
  for (const server of servers.servers) {
    for (const line of [user, more]) await askRedis(server, ...line.split(' '))
  }
  return { servers, url: servers.url.replace('//', '//mcp:PASSWORD@') }
}

describeRedis('plain', 'a store with the least permissions in a Redis Cluster', () => {
  storeContract(async () => {
    const servers = await startRedisCluster({ replicas: 1 })
    return openLimited(await startLimitedTopology(servers, forCluster))
  })
})

describeRedis('plain', 'a store with the least permissions behind Sentinels', () => {
  storeContract(async () => {
    const servers = await startRedisSentinels()
    return openLimited(await startLimitedTopology(servers, forSentinel))
  })
})

async function openLimited(limited: {
  readonly servers: { stop(): Promise<void> }
  readonly url: string
}): Promise<OpenedStore> {
  const nodes = [await connectedStore(limited.url), await connectedStore(limited.url)] as const
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()))
    await limited.servers.stop()
  }
  return { nodes, close }
}

async function denials(server: RedisServer): Promise<unknown> {
  const admin = await createClient({ url: server.url }).connect()
  const entries = (await admin.sendCommand(['ACL', 'LOG'])) as unknown as object[]
  admin.destroy()
  return entries.map((entry) => Object.fromEntries(Object.entries(entry)).object)
}

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `a store with the least permissions (${kind})`, () => {
    storeContract(async (): Promise<OpenedStore> => {
      const { server, url } = await startLimited(kind)
      const nodes = [await connectedStore(url), await connectedStore(url)] as const
      const close = async () => {
        await Promise.all(nodes.map((node) => node.close()))
        await server.stop()
      }
      return { nodes, close }
    })
  })

  describeRedis(kind, `a server with the least permissions (${kind})`, () => {
    test('connects, signs in, calls and is asked for nothing more', async () => {
      const { server, url } = await startLimited(kind)
      onTestFinished(() => server.stop())
      const app = await startApp({ env: { REDIS_URL: url, RATE_LIMIT: 'on' } })
      onTestFinished(() => app.stop())
      await expect.poll(async () => (await fetch(`${app.url}/readyz`)).status).toBe(200)
      for (const era of ['2025-11-25', '2026-07-28'] as const) {
        const { client } = await connectClient(app.url, era)
        const login = await client.callTool({ name: 'login', arguments: {} })
        const link = structured<SignInLink>(login)
        await signInAs(newBrowser(), link)
        const session = link.session === undefined ? {} : { session: link.session }
        const call = (name: string) => client.callTool({ name, arguments: session })
        expect(errorCode(await call('service'))).toBeUndefined()
        await call('logout')
        await client.close()
      }
      const oauth = await createOAuthClient(app.url)
      const tokens = await oauth.connect()
      expect(await oauth.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
      // What Redis refused that the server can do without: a name for the connection.
      const refused = (await denials(server)) as string[]
      expect(refused.filter((name) => !name.startsWith('client'))).toEqual([])
    })
  })
}
