/** The permissions in docs/operations.md suffice, on a real Redis that grants no others. */

import { createClient } from '@redis/client'
import { expect, onTestFinished, test } from 'vitest'
import { encryptConfigSecret } from '../../src/crypto/config-secret.ts'
import type { OpenedStore } from '../../src/store/contract/store-nodes.ts'
import type { RedisStoreOptions } from '../../src/store/redis.ts'
import { readDocuments, sectionOf } from '../docs/markdown.ts'
import { startApp } from '../support/app.ts'
import { connectClient, errorCode, structured } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis } from '../support/redis-commands.ts'
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

/** The permissions for the Sentinels, in the text. */
const [, forSentinels = ''] = /Sentinels needs only `([^`]+)`/.exec(section) ?? []

/** Passwords of the Sentinels' users: for each other, and for the server. */
const [PEERS, WATCHER] = ['PEERS', 'WATCHER']
const ENCRYPTION_KEY = '0123456789abcdef0123456789abcdef'
const ENCRYPTION_IV = '0123456789abcdef'
const encryption = { key: Buffer.from(ENCRYPTION_KEY), iv: Buffer.from(ENCRYPTION_IV) }

interface Limited {
  /** For `REDIS_URL`, with the user of the document. */
  readonly url: string
  /** All servers with an ACL log, Sentinels included. */
  readonly addresses: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly options?: Partial<RedisStoreOptions>
  stop(): Promise<void>
}

const withUser = (url: string) => url.replace('//', '//mcp:PASSWORD@')

async function setUsers(servers: readonly RedisServer[], ...lines: readonly string[]) {
  for (const server of servers) {
    for (const line of lines) await sendToRedis(server, ...line.split(' '))
  }
}

async function startLimited(kind: RedisKind): Promise<Limited> {
  const server = await startRedis(kind)
  await setUsers([server], user, ...(kind === 'json' ? [forJson] : []))
  return { url: withUser(server.url), addresses: [server.url], stop: server.stop }
}

/** The user on all servers; the servers themselves use the default user. */
async function startLimitedCluster(kind: RedisKind): Promise<Limited> {
  const { url, servers, stop } = await startRedisCluster({ kind, replicas: 1 })
  await setUsers(servers, user, forCluster, ...(kind === 'json' ? [forJson] : []))
  return { url: withUser(url), addresses: servers.map((server) => server.url), stop }
}

async function startLimitedSentinels(): Promise<Limited> {
  const { url, servers, sentinels, stop } = await startRedisSentinels()
  await setUsers(servers, user, forSentinel)
  for (const sentinel of sentinels) {
    const rights = ['on', `>${WATCHER}`, 'resetchannels', '-@all', ...forSentinels.split(' ')]
    await sendToRedis(sentinel, 'ACL', 'SETUSER', 'watcher', ...rights)
    await sendToRedis(sentinel, 'ACL', 'SETUSER', 'default', 'resetpass', `>${PEERS}`)
  }
  return {
    url: withUser(url),
    addresses: [
      ...servers.map((server) => server.url),
      ...sentinels.map(({ port }) => `redis://:${PEERS}@127.0.0.1:${port}`),
    ],
    env: {
      ...{ REDIS_SENTINEL_USERNAME: 'watcher', ENCRYPTION_KEY, ENCRYPTION_IV },
      REDIS_SENTINEL_P: encryptConfigSecret(WATCHER, encryption),
    },
    options: { sentinel: { name: 'main', username: 'watcher' }, sentinelPassword: WATCHER },
    stop,
  }
}

const places: Readonly<Record<string, readonly [RedisKind, () => Promise<Limited>]>> = {
  'on one server': ['plain', () => startLimited('plain')],
  'on one server with JSON commands': ['json', () => startLimited('json')],
  'in a Redis Cluster': ['plain', () => startLimitedCluster('plain')],
  'in a Redis Cluster with JSON commands': ['json', () => startLimitedCluster('json')],
  'behind Sentinels': ['plain', startLimitedSentinels],
}

/** The denied commands of the server, except naming its connection, without which it works. */
async function denials({ addresses }: Limited): Promise<readonly string[]> {
  const denied: string[] = []
  for (const url of addresses) {
    const admin = await createClient({ url, RESP: 2 }).connect()
    for (const entry of (await admin.sendCommand(['ACL', 'LOG'])) as unknown as string[][]) {
      denied.push(String(entry[entry.indexOf('object') + 1]))
    }
    admin.destroy()
  }
  return denied.filter((name) => !name.startsWith('client'))
}

for (const [place, [kind, start]] of Object.entries(places)) {
  describeRedis(kind, `a store with the least permissions ${place}`, () => {
    storeContract(async (): Promise<OpenedStore> => {
      const limited = await start()
      const open = () => connectedStore(limited.url, limited.options)
      const nodes = [await open(), await open()] as const
      const close = async () => {
        await Promise.all(nodes.map((node) => node.close()))
        await limited.stop()
      }
      return { nodes, close }
    })
  })

  describeRedis(kind, `a server with the least permissions ${place}`, () => {
    test('connects, signs in and calls without denied commands', async () => {
      const limited = await start()
      onTestFinished(() => limited.stop())
      const env = { REDIS_URL: limited.url, RATE_LIMIT: 'on', ...limited.env }
      const app = await startApp({ env })
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
      expect(await denials(limited)).toEqual([])
    })
  })
}
