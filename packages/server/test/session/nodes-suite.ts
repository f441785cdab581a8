/** Requirements for sessions on several nodes that share one store: run on memory and on real Redis. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSignInLinks, type SignInLinks } from '../../src/session/sign-in-link.ts'
import type { Store } from '../../src/store/port.ts'
import type { Credentials } from '../../src/upstream/identity-provider.ts'
import { createNode, credentialsFor, MINUTE_MS, type Node, signedIn } from './parts.ts'

export interface OpenedStores {
  /** The store of each node, with the same data. */
  readonly stores: readonly Store[]
  close(): Promise<void>
}

/** A provider with rotation: a refresh token is valid once, as at strict providers. */
function rotatingProvider(answersAfterMs: number) {
  const used: string[] = []
  return {
    used,
    async refresh({ refreshToken = '' }: Credentials): Promise<Credentials> {
      await delay(answersAfterMs)
      if (used.includes(refreshToken)) throw new Error('A refresh token was used twice')
      used.push(refreshToken)
      const next = used.length + 1
      const names = { accessToken: `access-${next}`, refreshToken: `refresh-${next}` }
      return credentialsFor(5 * MINUTE_MS, names)
    },
    revoke: async () => undefined,
  }
}

export function nodesSuite(open: () => Promise<OpenedStores>): void {
  let opened: OpenedStores
  let provider: ReturnType<typeof rotatingProvider>
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())

  function nodes(answersAfterMs = 150): readonly [Node, ...Node[]] {
    provider = rotatingProvider(answersAfterMs)
    const all = opened.stores.map((store) => createNode(store, { provider }))
    return all as unknown as [Node, ...Node[]]
  }

  it('keeps concurrent changes of different values by several nodes', async () => {
    const all = nodes()
    const { id } = await all[0].sessions.create('handle')
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`)
    await Promise.all(
      names.map((name, index) =>
        all[index % all.length]?.sessions.update(id, `data.${name}`, index),
      ),
    )
    expect(Object.keys((await all[0].sessions.peek(id))?.data ?? {}).sort()).toEqual(names.sort())
  })

  it('permits one of two nodes to create the session of an id', async () => {
    const all = nodes()
    const id = `ses_${crypto.randomUUID()}`
    const made = await Promise.all(all.map(({ sessions }) => sessions.createWithId(id, 'token')))
    expect(made.filter((session) => session !== undefined)).toHaveLength(1)
  })

  it('ends a session on every node', async () => {
    const all = nodes()
    const { id } = await all[0].sessions.create('handle')
    const ended = await Promise.all(all.map(({ sessions }) => sessions.end(id)))
    expect(ended.filter(Boolean)).toHaveLength(1)
    for (const { sessions } of all) expect(await sessions.retrieve(id)).toBeUndefined()
  })

  it('permits one of 20 uses of a sign-in link, and five checks of its code', async () => {
    const all = nodes().map(({ store }) =>
      createSignInLinks({ store, now: Date.now }, { ttlSeconds: 60 }),
    )
    const link = await all[0]?.issue('ses_1', 'a client')
    const { handle, code } = link ?? { handle: '', code: '' }
    const tries = Array.from({ length: 20 }, async (_, index) => {
      const node = all[index % all.length] as SignInLinks
      const { outcome } = await node.check(handle, code)
      return { outcome, used: outcome === 'right' && (await node.use(handle)) }
    })
    const outcomes = await Promise.all(tries)
    expect(outcomes.filter(({ used }) => used)).toHaveLength(1)
    expect(outcomes.filter(({ outcome }) => outcome === 'right').length).toBeLessThanOrEqual(5)
  })

  it('refreshes once for 100 calls on all nodes', async () => {
    const all = nodes()
    const id = await signedIn(all[0], credentialsFor(-1))
    const calls = Array.from({ length: 100 }, (_, index) => all[index % all.length]?.freshToken(id))
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['access-2']))
    expect(provider.used).toEqual(['refresh-1'])
  })

  it('refreshes once if the tokens of 100 calls were refused', async () => {
    const all = nodes()
    const id = await signedIn(all[0], credentialsFor(MINUTE_MS))
    const calls = Array.from({ length: 100 }, (_, index) =>
      all[index % all.length]?.freshToken(id, 'access-1'),
    )
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['access-2']))
    expect(provider.used).toEqual(['refresh-1'])
  })

  it('permits another node to refresh within 5 seconds after the lock holder has died', async () => {
    const all = nodes()
    const id = await signedIn(all[0], credentialsFor(-1))
    // Simulates a node that acquires the lock and dies: it neither extends nor releases it.
    await all[0].store.lock(`{${id}}:refresh`, 3)
    const started = performance.now()
    expect(await all[0].freshToken(id)).toBe('access-2')
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('extends the lock of a slow holder', async () => {
    const all = nodes(4500)
    const id = await signedIn(all[0], credentialsFor(-1))
    const tokens = await Promise.all(all.map(({ freshToken }) => freshToken(id)))
    expect(new Set(tokens)).toEqual(new Set(['access-2']))
    expect(provider.used).toEqual(['refresh-1'])
  })
}
