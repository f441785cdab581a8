/** Signing keys that a node has read stay in use while the store, or the shard that has them, is unavailable. */

import { importJWK, jwtVerify, SignJWT } from 'jose'
import { expect, it } from 'vitest'
import { createSigningKeys, type SigningKeys } from '../../src/auth/signing-keys.ts'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { KEY } from '../session/parts.ts'
import { failingStore } from '../support/failing-store.ts'

const PLACE = 'signing-keys:ES256'

/** A store, and nodes on it, with one clock that only the test advances. */
function setUp() {
  let time = 1_800_000_000_000
  const now = () => time
  const store = createMemoryStore({ now })
  const options = { algorithm: 'ES256', keepSeconds: 3600 } as const
  return {
    store,
    node: (on: Store) =>
      createSigningKeys({ store: on, keyRing: createKeyRing([KEY]), now }, options),
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
  const outcome = await jwtVerify(token, async ({ kid = '' }) =>
    importJWK((await keys.byKid(kid)) ?? {}),
  ).catch(() => undefined)
  return outcome !== undefined
}

it('stay in use while the store is unavailable: callers of other shards are not affected', async () => {
  const { node, pass } = setUp()
  const store = failingStore()
  const keys = node(store)
  const token = await sign(keys)
  store.disconnect(PLACE)
  pass(10)
  expect(await verifies(keys, token)).toBe(true)
  expect((await keys.published()).keys).toHaveLength(1)
  // Another node may have begun to sign with it: never 401.
  await expect(keys.byKid('new')).rejects.toMatchObject({ code: 'unavailable' })
  store.reconnect()
  expect(await keys.byKid('new')).toBeUndefined()
})

it('stay in use while the store hangs', async () => {
  const { node, store, pass } = setUp()
  let hangs = false
  const hanging: Store = {
    ...store,
    get: (key) => (hangs ? new Promise(() => undefined) : store.get(key)),
  }
  const keys = node(hanging)
  const token = await sign(keys)
  hangs = true
  pass(10)
  expect(await verifies(keys, token)).toBe(true)
})
