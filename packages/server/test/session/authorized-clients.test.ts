/** The clients that a browser has authorized, as shown on the landing page. */

import { describe, expect, test } from 'vitest'
import { createAuthorizedClients } from '../../src/session/authorized-clients.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createMemoryStore } from '../../src/store/memory.ts'

const BROWSER = 'a'.repeat(43)
const OTHER = 'b'.repeat(43)

function parts() {
  const store = createMemoryStore()
  const sessions = new SessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
  const clients = createAuthorizedClients({ store, sessions }, { ttlSeconds: 7200 })
  const authorizeClient = async (clientName: string, browser = BROWSER) => {
    const { id } = await sessions.create('token', { clientName })
    await sessions.update(id, 'browser', browser)
    await clients.remember(browser, id)
    return id
  }
  return { store, sessions, clients, authorizeClient }
}

describe('the clients that a browser authorized', () => {
  test('are listed newest first, with their sign-in state', async () => {
    const { sessions, clients, authorizeClient } = parts()
    await sessions.update(await authorizeClient('Editor'), 'state', 'authenticated')
    await authorizeClient('Terminal')
    expect(await clients.of(BROWSER)).toEqual([
      { clientName: 'Terminal', signedIn: false },
      { clientName: 'Editor', signedIn: true },
    ])
  })

  test('are listed once each, while their session lives', async () => {
    const { sessions, clients, authorizeClient } = parts()
    const id = await authorizeClient('Editor')
    await clients.remember(BROWSER, id)
    expect(await clients.of(BROWSER)).toHaveLength(1)
    await sessions.end(id)
    expect(await clients.of(BROWSER)).toEqual([])
  })

  test('are those of this browser only, even if a session moves to another one', async () => {
    const { sessions, clients, authorizeClient } = parts()
    const id = await authorizeClient('Editor')
    expect(await clients.of(OTHER)).toEqual([])
    await sessions.update(id, 'browser', OTHER)
    expect(await clients.of(BROWSER)).toEqual([])
  })

  test('are limited to the number that a page can show', async () => {
    const { clients, authorizeClient } = parts()
    for (let count = 1; count <= 20; count += 1) await authorizeClient(`Client ${count}`)
    const names = (await clients.of(BROWSER)).map(({ clientName }) => clientName)
    expect(names).toHaveLength(16)
    expect([names[0], names[15]]).toEqual(['Client 20', 'Client 5'])
  })

  test('are read without counting as use', async () => {
    const { sessions, clients, authorizeClient } = parts()
    const before = await sessions.peek(await authorizeClient('Editor'))
    await clients.of(BROWSER)
    expect(await sessions.peek(before?.id ?? '')).toEqual(before)
  })
})
