/** Tombstones of ended sessions: no earlier token restores them, on any node. */

import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createNode } from './parts.ts'

const START = Date.UTC(2026, 0, 1)
const ID = `ses_${'x'.repeat(43)}`

function managed() {
  let time = START
  const now = () => time
  const store = createMemoryStore({ now })
  const { sessions } = createNode(store, { now, ttlSeconds: 60, tokenTtlSeconds: 600 })
  const pass = (seconds: number) => {
    time += seconds * 1000
  }
  return { sessions, store, pass, now }
}

describe('the id of a session of tokens', () => {
  it('stays ended for the longest lifetime of a token', async () => {
    const { sessions, pass } = managed()
    await sessions.createWithId(ID, 'token')
    expect(await sessions.end(ID)).toBe(true)
    expect(await sessions.end(ID)).toBe(false)
    pass(599)
    expect(await sessions.createWithId(ID, 'token')).toBeUndefined()
    pass(1)
    expect(await sessions.createWithId(ID, 'token')).toMatchObject({ id: ID })
  })

  it('is usable again with a token issued after its end, whose time is stored', async () => {
    const { sessions, pass, now } = managed()
    await sessions.createWithId(ID, 'token')
    pass(10)
    await sessions.end(ID)
    const endedBefore = now()
    expect(await sessions.createWithId(ID, 'token', {}, endedBefore)).toBeUndefined()
    pass(1)
    expect(await sessions.createWithId(ID, 'token', {}, now())).toMatchObject({ endedBefore })
    expect(await sessions.retrieve(ID)).toMatchObject({ endedBefore })
  })

  it('is free once the session has expired', async () => {
    const { sessions, pass } = managed()
    await sessions.createWithId(ID, 'token')
    pass(60)
    expect(await sessions.createWithId(ID, 'token', {}, START)).toMatchObject({ id: ID })
  })
})

it('other sessions leave no tombstone', async () => {
  const { sessions, store } = managed()
  const { id } = await sessions.create('handle')
  await sessions.end(id)
  expect(await store.get(`{${id}}:ended`)).toBeUndefined()
})

it('concurrent ends and openings leave no session', async () => {
  const { sessions } = managed()
  for (let round = 0; round < 50; round += 1) {
    const id = `${ID}${round}`
    await sessions.createWithId(id, 'token', {}, START)
    const open = () => sessions.createWithId(id, 'token', {}, START)
    await Promise.all([open(), sessions.end(id), open(), open(), sessions.end(id), open()])
    expect(await sessions.validate(id)).toBe(false)
  }
})
