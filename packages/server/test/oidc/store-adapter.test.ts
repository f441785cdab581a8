/** The provider's state in the store: single use and revocation. */

import { expect, test } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { Entries } from '../../src/oidc/entries.ts'
import { createStoreAdapter } from '../../src/oidc/store-adapter.ts'
import { recordingStore } from '../support/recording-store.ts'

function setUp() {
  const { store, written } = recordingStore()
  const keyRing = createKeyRing([Buffer.alloc(32, 7)])
  const entries = new Entries(
    { store, keyRing, now: () => 1_000_000 },
    { prefix: 'provider', longestTtlSeconds: 3600 },
  )
  const node = () => createStoreAdapter(entries)
  return { written, a: node(), b: node() }
}

test('one of fifty parallel uses succeeds, whichever node they reach', async () => {
  const { a, b } = setUp()
  const nodes = [a('AuthorizationCode'), b('AuthorizationCode')] as const
  await nodes[0].upsert('code', { grantId: 'g' }, 60)
  const uses = Array.from({ length: 50 }, (_, index) => nodes[index % 2 ? 0 : 1].consume('code'))
  const outcomes = await Promise.allSettled(uses)
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await nodes[1].find('code')).toMatchObject({ consumed: 1000 })
  await expect(nodes[0].consume('code')).rejects.toMatchObject({ error: 'invalid_grant' })
  await expect(nodes[0].consume('unknown')).rejects.toMatchObject({ error: 'invalid_grant' })
})

test('entries of a revoked grant are invalid, later ones included', async () => {
  const { a, b } = setUp()
  await a('AccessToken').upsert('t1', { grantId: 'g' }, 60)
  await a('AccessToken').upsert('other', { grantId: 'h' }, 60)
  await b('RefreshToken').revokeByGrantId('g')
  await a('AccessToken').upsert('t2', { grantId: 'g' }, 60)
  expect(await b('AccessToken').find('t1')).toBeUndefined()
  expect(await a('AccessToken').find('t2')).toBeUndefined()
  expect(await a('AccessToken').find('other')).toEqual({ grantId: 'h', jti: 'other' })
})

test('models are separate, payloads are sealed, and everything expires', async () => {
  const { written, a } = setUp()
  await a('AccessToken').upsert('same', { jti: 'same', scope: 'x' }, 60)
  await a('Client').upsert('forever', {})
  expect(await a('RefreshToken').find('same')).toBeUndefined()
  for (const { ttlSeconds } of written) expect(ttlSeconds).toBeGreaterThan(0)
  expect(JSON.stringify(written)).not.toMatch(/same|scope/)
  await a('AccessToken').destroy('same')
  expect(await a('AccessToken').find('same')).toBeUndefined()
})
