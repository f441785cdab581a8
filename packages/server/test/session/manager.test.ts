/** The session manager: creation, lookup, changes, renewal and end. */

import { describe, expect, it, vi } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createNode, credentialsFor } from './parts.ts'

const START = Date.UTC(2026, 0, 1)

function managed(ttlSeconds = 3600) {
  let time = START
  const now = () => time
  const store = createMemoryStore({ now })
  const node = createNode(store, { now, ttlSeconds })
  function pass(seconds: number): void {
    time += seconds * 1000
  }
  return { ...node, pass }
}

describe('a new session', () => {
  it('is anonymous, holds nothing, and ends after its time-to-live', async () => {
    const { sessions } = managed()
    expect(await sessions.create('handle', { clientName: 'a client' })).toEqual({
      schema: 1,
      rev: 1,
      id: expect.stringMatching(/^ses_[\w-]{43}$/),
      access: 'handle',
      state: 'anonymous',
      connectedAt: START,
      lastActiveAt: START,
      expiresAt: START + 3600_000,
      data: {},
      credentials: {},
      client: { clientName: 'a client' },
    })
  })

  it('has a unique id', async () => {
    const { sessions } = managed()
    const made = await Promise.all([1, 2, 3].map(() => sessions.create('handle')))
    expect(new Set(made.map(({ id }) => id)).size).toBe(3)
  })

  it('can have a known id, once', async () => {
    const { sessions } = managed()
    expect(await sessions.createWithId('ses_known', 'token')).toMatchObject({ id: 'ses_known' })
    expect(await sessions.createWithId('ses_known', 'token')).toBeUndefined()
    expect(await sessions.peek('ses_known')).toMatchObject({ access: 'token', rev: 1 })
  })
})

describe('the states of a session', () => {
  it('anonymous, authenticated once it has credentials, undefined after its end', async () => {
    const { sessions, credentials } = managed()
    const { id, state } = await sessions.create('handle')
    expect(state).toBe('anonymous')
    await credentials.write(id, credentialsFor(60_000), 1)
    expect(await sessions.peek(id)).toMatchObject({ state: 'authenticated' })
    expect(await sessions.end(id)).toBe(true)
    expect(await sessions.peek(id)).toBeUndefined()
  })

  it('ended after its time-to-live', async () => {
    const { sessions, pass } = managed(60)
    const { id } = await sessions.create('handle')
    pass(59)
    expect(await sessions.validate(id)).toBe(true)
    pass(1)
    expect(await sessions.validate(id)).toBe(false)
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.extend(id)).toBe(false)
    expect(await sessions.end(id)).toBe(false)
  })
})

describe('using a session', () => {
  it('renews its TTL', async () => {
    const { sessions, pass } = managed(60)
    const { id } = await sessions.create('handle')
    for (let use = 0; use < 5; use += 1) {
      pass(50)
      expect(await sessions.retrieve(id)).toMatchObject({ id })
    }
    pass(60)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })

  it('has the times of its last use and of its expiry', async () => {
    const { sessions, pass } = managed(60)
    const { id } = await sessions.create('handle')
    pass(30)
    const times = { lastActiveAt: START + 30_000, expiresAt: START + 90_000 }
    expect(await sessions.retrieve(id)).toMatchObject(times)
    expect(await sessions.peek(id)).toMatchObject(times)
  })

  it('continues while the store is full, without writes', async () => {
    const { sessions, store, pass } = managed()
    const { id } = await sessions.create('handle')
    pass(90)
    vi.spyOn(store, 'patch').mockRejectedValueOnce(storeUnavailable())
    expect(await sessions.retrieve(id)).toMatchObject({ lastActiveAt: START + 90_000 })
    expect(await sessions.peek(id)).toMatchObject({ lastActiveAt: START })
  })

  it('includes `extend`, and not `peek` and `validate`', async () => {
    const { sessions, pass } = managed(60)
    const { id } = await sessions.create('handle')
    pass(50)
    expect(await sessions.extend(id)).toBe(true)
    pass(50)
    await sessions.peek(id)
    await sessions.validate(id)
    pass(10)
    expect(await sessions.validate(id)).toBe(false)
  })
})

describe('changing a session', () => {
  it('sets one field and leaves the others', async () => {
    const { sessions } = managed()
    const { id } = await sessions.create('handle')
    await sessions.update(id, 'data.cart', ['apple'])
    await sessions.update(id, 'data.language', 'fr')
    expect((await sessions.peek(id))?.data).toEqual({ cart: ['apple'], language: 'fr' })
    await sessions.update(id, 'data.cart', undefined)
    expect((await sessions.peek(id))?.data).toEqual({ language: 'fr' })
  })

  it('does not renew its TTL', async () => {
    const { sessions, pass } = managed(60)
    const { id } = await sessions.create('handle')
    pass(50)
    await sessions.update(id, 'data.a', 1)
    pass(10)
    expect(await sessions.validate(id)).toBe(false)
  })

  it('that has ended is refused', async () => {
    const { sessions } = managed()
    await expect(sessions.update('ses_gone', 'data.a', 1)).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})

describe('a session that has ended', () => {
  it('may be replaced by a new one of the same id, without data of the old one', async () => {
    const { sessions, pass } = managed(60)
    await sessions.createWithId('ses_known', 'token')
    await sessions.update('ses_known', 'data.cart', ['apple'])
    await sessions.update('ses_known', 'browser', 'hash')
    pass(60)
    expect(await sessions.createWithId('ses_known', 'token')).toMatchObject({ data: {} })
    expect(await sessions.peek('ses_known')).toMatchObject({ data: {} })
    expect(await sessions.peek('ses_known')).not.toHaveProperty('browser')
    expect(await sessions.createWithId('ses_known', 'token')).toBeUndefined()
  })

  it('had its TTL renewed by `touch`', async () => {
    const { sessions, pass } = managed(60)
    const { id } = await sessions.create('connection', {}, { ttlSeconds: 10 })
    pass(9)
    expect(await sessions.touch(id, 60)).toBe(true)
    // Its stamps are those of the start: it was not used since.
    pass(50)
    expect(await sessions.validate(id)).toBe(true)
    pass(1)
    expect(await sessions.validate(id)).toBe(false)
  })
})
