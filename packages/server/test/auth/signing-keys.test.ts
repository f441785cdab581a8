/** Signing keys: shared by all nodes, rotated without losing tokens, sealed in the store. */

import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSigningKeys, type SigningKeys } from '../../src/auth/signing-keys.ts'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { KEY, OTHER_KEY } from '../session/parts.ts'
import { connectedStore } from '../store/redis-stores.ts'
import { failingStore } from '../support/failing-store.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const PLACE = 'signing-keys:ES256'

/** A store, and nodes on it, with one clock that only the test advances. */
function setUp(algorithm: 'ES256' | 'EdDSA' = 'ES256') {
  let time = 1_800_000_000_000
  const now = () => time
  const store = createMemoryStore({ now })
  const options = { algorithm, rotateEverySeconds: 30 * DAY, keepSeconds: HOUR }
  return {
    store,
    node: (on: Store = store, key = KEY) =>
      createSigningKeys({ store: on, keyRing: createKeyRing([key]), now }, options),
    pass(seconds: number) {
      time += seconds * 1000
    },
  }
}

async function sign(keys: SigningKeys): Promise<string> {
  const { kid, alg, privateJwk } = await keys.current()
  return new SignJWT({ jti: 'one' }).setProtectedHeader({ alg, kid }).sign(privateJwk)
}

async function verifies(keys: SigningKeys, token: string): Promise<boolean> {
  const outcome = await jwtVerify(token, async ({ kid = '' }) => {
    const jwk = await keys.byKid(kid)
    if (jwk === undefined) throw new Error('unknown key')
    return importJWK(jwk)
  }).catch(() => undefined)
  return outcome !== undefined
}

const kidsOf = async (keys: SigningKeys) => (await keys.published()).keys.map(({ kid }) => kid)

describe('signing keys', () => {
  for (const algorithm of ['ES256', 'EdDSA'] as const) {
    it(`sign with ${algorithm} on one node what another verifies`, async () => {
      const { node } = setUp(algorithm)
      expect(await verifies(node(), await sign(node()))).toBe(true)
    })

    it(`are published for ${algorithm} without their private parts, named by RFC 7638`, async () => {
      const { keys } = await setUp(algorithm).node().published()
      expect(keys).toHaveLength(1)
      for (const jwk of keys) {
        expect(jwk).not.toHaveProperty('d')
        expect(jwk).toMatchObject({ alg: algorithm, use: 'sig' })
        expect(jwk.kid).toBe(await calculateJwkThumbprint(jwk))
      }
    })
  }

  it('are one, however many nodes start at once', async () => {
    const { node } = setUp()
    const kids = await Promise.all(
      Array.from({ length: 50 }, async () => (await node().current()).kid),
    )
    expect(new Set(kids).size).toBe(1)
  })

  it('are read from the store once for many concurrent calls, and then cached', async () => {
    const { node } = setUp()
    const store = failingStore()
    const keys = node(store)
    const kids = await Promise.all(
      Array.from({ length: 20 }, async () => (await keys.current()).kid),
    )
    expect(new Set(kids).size).toBe(1)
    await keys.published()
    expect(store.commands).toEqual([`get ${PLACE}`, `create ${PLACE}`])
  })

  it('are read again for an unknown key id, at most once a second', async () => {
    const { node, pass } = setUp()
    const store = failingStore()
    const keys = node(store)
    await keys.current()
    const before = store.commands.length
    for (let tries = 0; tries < 20; tries += 1) expect(await keys.byKid('invented')).toBeUndefined()
    expect(store.commands.length).toBe(before)
    pass(1)
    for (let tries = 0; tries < 20; tries += 1) expect(await keys.byKid('invented')).toBeUndefined()
    expect(store.commands.length).toBe(before + 1)
  })

  it('are 503 while the store is unavailable, and served afterwards', async () => {
    const store = failingStore()
    const keys = setUp().node(store)
    store.disconnect()
    await expect(keys.current()).rejects.toMatchObject({ code: 'unavailable' })
    store.reconnect()
    expect(await keys.current()).toMatchObject({ alg: 'ES256' })
  })

  it('are created again after the store was emptied, and known on the other node at once', async () => {
    const { node, store, pass } = setUp()
    const [one, other] = [node(), node()]
    const lost = await one.current()
    await other.current()
    await store.delete(PLACE)
    pass(10)
    const token = await sign(one)
    expect((await one.current()).kid).not.toBe(lost.kid)
    expect(await verifies(other, token)).toBe(true)
  })
})

describe('rotation of signing keys', () => {
  it('publishes the next key a day before it signs', async () => {
    const { node, pass } = setUp()
    const keys = node()
    const first = await keys.current()
    pass(29 * DAY - 1)
    expect(await kidsOf(keys)).toEqual([first.kid])
    pass(1)
    pass(10)
    const [, next] = await kidsOf(keys)
    expect(next).toBeDefined()
    expect((await keys.current()).kid).toBe(first.kid)
    pass(DAY)
    expect((await keys.current()).kid).toBe(next)
  })

  it('publishes it first even without requests in time', async () => {
    const { node, pass } = setUp()
    const keys = node()
    const first = await keys.current()
    pass(45 * DAY)
    expect((await keys.current()).kid).toBe(first.kid)
    expect(await kidsOf(keys)).toHaveLength(2)
    pass(DAY)
    expect((await keys.current()).kid).not.toBe(first.kid)
  })

  it('keeps the old key until its last token has expired, and no longer', async () => {
    const { node, pass } = setUp()
    const keys = node()
    await keys.current()
    pass(29 * DAY)
    await keys.current()
    pass(DAY - 1)
    const last = await sign(keys)
    pass(HOUR)
    expect(await verifies(node(), last)).toBe(true)
    pass(600)
    expect(await kidsOf(keys)).toHaveLength(1)
    expect(await verifies(keys, last)).toBe(false)
    expect(await verifies(node(), last)).toBe(false)
  })

  it('adds one next key, however many nodes rotate at the same time', async () => {
    const { node, pass } = setUp()
    const nodes = Array.from({ length: 20 }, () => node())
    await Promise.all(nodes.map((keys) => keys.current()))
    pass(29 * DAY)
    const kids = await Promise.all(nodes.map(kidsOf))
    expect(new Set(kids.flat()).size).toBe(2)
  })

  it('rotates indefinitely with at most three keys', async () => {
    const { node, pass } = setUp()
    const keys = node()
    const seen = new Set<string>()
    for (let day = 0; day < 365; day += 1) {
      seen.add((await keys.current()).kid)
      expect((await kidsOf(keys)).length).toBeLessThanOrEqual(3)
      pass(DAY)
    }
    expect(seen.size).toBe(13)
  })

  it('expires keys that were unused for two rotations', async () => {
    const { node, store, pass } = setUp()
    await node().current()
    pass(60 * DAY + HOUR)
    expect(await store.get(PLACE)).toBeUndefined()
  })
})

describe('signing keys in the store', () => {
  it('are sealed whole: no private part can be read', async () => {
    const { node, store } = setUp()
    const { privateJwk } = await node().current()
    const text = JSON.stringify(await store.get(PLACE))
    for (const part of [privateJwk.d, privateJwk.x]) expect(text).not.toContain(part)
  })

  it('cannot be read by a node with another encryption key, which creates its own', async () => {
    const { node, store, pass } = setUp()
    const [right, wrong] = [node(), node(store, OTHER_KEY)]
    const token = await sign(right)
    expect(await verifies(wrong, token)).toBe(false)
    pass(10)
    expect(await verifies(right, await sign(wrong))).toBe(false)
    // Neither replaces the key of the other.
    pass(DAY)
    expect(await verifies(right, token)).toBe(true)
    const { keys } = (await store.get<{ keys: unknown[] }>(PLACE)) ?? expect.fail('no keys')
    expect(keys).toHaveLength(2)
  })

  it('do not verify under another name', async () => {
    const { node, store } = setUp()
    const token = await sign(node())
    const stored = await store.get<{ keys: { kid: string }[] }>(PLACE)
    const keys = stored?.keys.map((key) => ({ ...key, kid: 'other' }))
    await store.set(PLACE, { keys }, HOUR)
    expect(await verifies(node(), token)).toBe(false)
    expect(await node().byKid('other')).toBeUndefined()
  })
})

describeRedis('plain', 'signing keys on Redis', () => {
  let server: RedisServer
  let stores: Store[]
  beforeAll(async () => {
    server = await startRedis('plain')
    stores = [await connectedStore(server.url), await connectedStore(server.url)]
  })
  afterAll(async () => {
    for (const store of stores) await store.close()
    await server.stop()
  })

  it('are one for nodes that start at once', async () => {
    const { node } = setUp()
    const nodes = Array.from({ length: 20 }, (_, index) => node(stores[index % 2]))
    const kids = await Promise.all(nodes.map(async (keys) => (await keys.current()).kid))
    expect(new Set(kids).size).toBe(1)
    expect(await verifies(node(stores[0]), await sign(node(stores[1])))).toBe(true)
  })
})
