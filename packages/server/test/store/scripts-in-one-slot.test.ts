/** Every script has keys of one hash slot only, as a Redis Cluster requires. */

import { createClient } from '@redis/client'
import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { definedScripts } from '../../src/store/redis-scripts.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { startApp } from '../support/app.ts'
import { connectClient, structured } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { startRedis } from '../support/redis.ts'
import { addSlots, SLOTS } from '../support/redis-cluster.ts'
import { sendToRedis, until } from '../support/redis-commands.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { storeContract } from './contract.ts'
import { connectedStore } from './redis-stores.ts'

interface Sent {
  readonly sha: string
  readonly keys: readonly string[]
}

/** The keys of each script that Redis is sent from now on, by its hash. */
async function watchScripts(url: string) {
  const admin = await createClient({ url, RESP: 2 }).connect()
  // The slow log has all of them, with their first arguments; MONITOR has megabytes.
  await admin.configSet({ 'slowlog-log-slower-than': '0', 'slowlog-max-len': '1000000' })
  return {
    async sent(): Promise<readonly Sent[]> {
      const entries = (await admin.sendCommand(['SLOWLOG', 'GET', '-1'])) as unknown as SlowLog
      return entries.flatMap(([, , , [name = '', sha = '', count, ...rest]]) =>
        name.toUpperCase() === 'EVALSHA' ? [{ sha, keys: rest.slice(0, Number(count)) }] : [],
      )
    },
    close: () => admin.destroy(),
  }
}

type SlowLog = readonly (readonly [id: number, at: number, took: number, args: string[]])[]

const inSeveralSlots = (sent: readonly Sent[]) =>
  sent.filter(({ keys }) => new Set(keys.map(slotOf)).size !== 1)

const known = new Set(definedScripts().map(({ sha }) => sha))
/** Scripts that the contract of stores ran, with documents of each kind. */
const ran = new Set<string>()

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `scripts of a store (${kind})`, () => {
    let watch: Awaited<ReturnType<typeof watchScripts>>
    let first: Store
    storeContract(async () => {
      const server = await startRedis(kind)
      watch = await watchScripts(server.url)
      first = await connectedStore(server.url)
      const nodes = [first, await connectedStore(server.url)] as const
      const close = async () => {
        watch.close()
        await Promise.all(nodes.map((node) => node.close()))
        await server.stop()
      }
      return { nodes, close }
    })

    test('have their keys in one slot', async () => {
      await first.checkHealth()
      const sent = await watch.sent()
      expect(inSeveralSlots(sent)).toEqual([])
      for (const { sha } of sent) ran.add(sha)
    })
  })
}

describeRedis('json', 'the scripts of all stores', () => {
  test('have their keys in one slot when a cluster is read', async () => {
    const server = await startRedis('json', ['--cluster-enabled', 'yes'])
    onTestFinished(() => server.stop())
    await sendToRedis(server, ...addSlots(0, SLOTS))
    const state = async () => String(await sendToRedis(server, 'CLUSTER', 'INFO'))
    await until(async () => (await state()).includes('cluster_state:ok'))
    const watch = await watchScripts(server.url)
    onTestFinished(watch.close)
    const store = await connectedStore(`redis+cluster://127.0.0.1:${server.port}`)
    onTestFinished(() => store.close())
    await store.set('{a}:one', { a: 1 }, 60)
    const found = await store.getAll(['{a}:one', '{b}:one', '{a}:two', '{b}:two'])
    expect(found).toEqual([{ a: 1, rev: 1 }, undefined, undefined, undefined])
    const sent = await watch.sent()
    expect(inSeveralSlots(sent)).toEqual([])
    for (const { sha } of sent) ran.add(sha)
  })

  test('are covered completely', () => {
    const unseen = definedScripts().filter(({ sha }) => !ran.has(sha))
    expect(unseen.map(({ source }) => source)).toEqual([])
  })
})

describeRedis('plain', 'scripts of a server', () => {
  test('have their keys in one slot', async () => {
    const redis = await startRedis('plain')
    onTestFinished(() => redis.stop())
    const watch = await watchScripts(redis.url)
    onTestFinished(watch.close)
    const app = await startApp({ env: { REDIS_URL: redis.url, RATE_LIMIT: 'on' } })
    onTestFinished(() => app.stop())
    for (const era of ['2025-11-25', '2026-07-28'] as const) {
      const { client } = await connectClient(app.url, era)
      const login = await client.callTool({ name: 'login', arguments: {} })
      const link = structured<SignInLink>(login)
      await signInAs(newBrowser(), link)
      const session = link.session === undefined ? {} : { session: link.session }
      await client.callTool({ name: 'service', arguments: session })
      await client.callTool({ name: 'logout', arguments: session })
      await client.close()
    }
    const oauth = await createOAuthClient(app.url)
    const tokens = await oauth.connect()
    await oauth.refresh(tokens.refresh_token)
    await oauth.revoke(tokens.refresh_token)
    const ours = (await watch.sent()).filter(({ sha }) => known.has(sha))
    expect(new Set(ours.map(({ sha }) => sha)).size).toBeGreaterThan(5)
    expect(ours.filter(({ keys }) => keys.length > 1).length).toBeGreaterThan(5)
    expect(inSeveralSlots(ours)).toEqual([])
  })
})
