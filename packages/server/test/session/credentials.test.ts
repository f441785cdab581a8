/** Credentials in a session: sealed to it, readable with any active key, written by the newest. */

import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { type SessionRecord, sessionKey } from '../../src/session/record.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createNode, credentialsFor, KEY, type Node, OTHER_KEY, signedIn } from './parts.ts'

const GRANTED = credentialsFor(60_000, {
  accessToken: 'secret-access',
  refreshToken: 'secret-refresh',
})

async function readBy(node: Node, id: string) {
  const session = await node.sessions.peek(id)
  return session && node.credentials.read(session)
}

describe('credentials', () => {
  it('are read as they were written', async () => {
    const node = createNode(createMemoryStore())
    expect(await readBy(node, await signedIn(node, GRANTED))).toEqual(GRANTED)
  })

  it('are stored encrypted, each time differently', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    const first = await node.store.get<SessionRecord>(sessionKey(id))
    await node.credentials.write(id, GRANTED, 2)
    const second = await node.store.get<SessionRecord>(sessionKey(id))
    expect(JSON.stringify([first, second])).not.toMatch(/secret|ada/)
    expect(first?.credentials.bank?.sealed).not.toBe(second?.credentials.bank?.sealed)
  })

  it('do not decrypt in another session, which stays anonymous', async () => {
    const node = createNode(createMemoryStore())
    const ada = await node.sessions.peek(await signedIn(node, GRANTED))
    const { id } = await node.sessions.create('handle')
    await node.sessions.update(id, 'credentials', ada?.credentials)
    await node.sessions.update(id, 'state', 'authenticated')
    expect(await readBy(node, id)).toBeUndefined()
    expect(await node.freshToken(id)).toBeUndefined()
  })

  it('do not decrypt for another upstream', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    const sealed = (await node.sessions.peek(id))?.credentials.bank
    await node.sessions.update(id, 'credentials', { shop: sealed })
    expect(await readBy(node, id)).toBeUndefined()
  })

  it('do not decrypt if they were edited', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    const sealed = (await node.sessions.peek(id))?.credentials.bank?.sealed ?? ''
    for (const edited of [sealed.slice(0, -4), `${sealed}AAAA`, sealed.slice(3), '', 'x', '{}']) {
      await node.sessions.update(id, 'credentials', { bank: { sealed: edited, fence: 1 } })
      expect(await readBy(node, id)).toBeUndefined()
    }
  })

  it('stay readable while keys are rotated, until the key is removed', async () => {
    const store = createMemoryStore()
    const before = createNode(store, { keyRing: createKeyRing([KEY]) })
    const during = createNode(store, { keyRing: createKeyRing([OTHER_KEY, KEY]) })
    const after = createNode(store, { keyRing: createKeyRing([OTHER_KEY]) })
    const id = await signedIn(before, GRANTED)
    expect(await readBy(during, id)).toEqual(GRANTED)
    expect(await readBy(after, id)).toBeUndefined()
    await during.credentials.write(id, GRANTED, 2)
    expect(await readBy(after, id)).toEqual(GRANTED)
    expect(await readBy(before, id)).toBeUndefined()
  })
})

describe('writing credentials', () => {
  const newer = { ...GRANTED, accessToken: 'secret-newer' }

  it('makes the session authenticated; deleting them makes it anonymous', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    expect(await node.sessions.peek(id)).toMatchObject({ state: 'authenticated' })
    await node.credentials.forget(id, 2)
    expect(await node.sessions.peek(id)).toMatchObject({ state: 'anonymous', credentials: {} })
  })

  it('is refused to a lock holder older than the last', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    expect(await node.credentials.write(id, newer, 5)).toBe(true)
    expect(await node.credentials.write(id, GRANTED, 4)).toBe(false)
    await node.credentials.forget(id, 4)
    expect(await readBy(node, id)).toEqual(newer)
  })

  it('is refused to an older lock holder even after the newer credentials were deleted', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    await node.credentials.forget(id, 6)
    expect(await node.credentials.write(id, newer, 5)).toBe(false)
    expect(await node.sessions.peek(id)).toMatchObject({ state: 'anonymous' })
  })

  it('is refused when the session has ended', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    await node.sessions.end(id)
    expect(await node.credentials.write(id, newer, 9)).toBe(false)
    await node.credentials.forget(id, 9)
    expect(await node.sessions.validate(id)).toBe(false)
  })

  it('does not change the credentials of other upstreams', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    await node.sessions.update(id, 'credentials.shop', { sealed: 'x', fence: 1 })
    await node.credentials.forget(id, 2)
    expect(await node.sessions.peek(id)).toMatchObject({
      state: 'authenticated',
      credentials: { shop: { sealed: 'x' } },
    })
  })

  it('succeeds beside concurrent changes, which are stored, too', async () => {
    const node = createNode(createMemoryStore())
    const id = await signedIn(node, GRANTED)
    await Promise.all([
      node.credentials.write(id, newer, 2),
      ...[1, 2, 3, 4, 5].map((n) => node.sessions.update(id, `data.n${n}`, n)),
    ])
    expect(await readBy(node, id)).toEqual(newer)
    expect((await node.sessions.peek(id))?.data).toEqual({ n1: 1, n2: 2, n3: 3, n4: 4, n5: 5 })
  })
})
