/** Session hijack by ids: same response as for unknown ids, and no effect on the owner. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createId } from '../../src/crypto/random-id.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS, errorCode, structured } from '../support/clients.ts'
import { recordingStore } from '../support/recording-store.ts'
import { callWith, login, newBrowser, signInAs } from '../support/sign-in.ts'
import { startTokenApp } from '../support/token-app.ts'
import {
  connect,
  INITIALIZE,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
  sendRequest,
} from '../support/wire.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterAll(() => app.stop())

/** An MCP session whose user has signed in. */
async function signedInConnection() {
  const before = written.length
  const headers = await connect(app.url)
  const session = written.slice(before).find(({ key }) => key.endsWith(':session'))
  const { id: sessionId } = (session?.value ?? {}) as { id: string }
  const { message } = await read(post(app.url, request('tools/call', { name: 'login' }), headers))
  const link = structured<{ url: string; code: string }>(message.result ?? {})
  expect(message.result?.structuredContent).not.toHaveProperty('session')
  await signInAs(newBrowser(), link)
  return { headers, sessionId }
}

const serviceOn = async (headers: Record<string, string>, session?: string) => {
  const given = session === undefined ? {} : { session }
  const call = request('tools/call', { name: 'service', arguments: given })
  return (await read(post(app.url, call, headers))).message.result ?? {}
}

describe('the session of an MCP session', () => {
  test('has no handle: its id is refused like an unknown one, in both eras', async () => {
    const { headers, sessionId } = await signedInConnection()
    const unknown = await callWith(app.url, createId('ses'), 'service')
    const stolen = await callWith(app.url, sessionId, 'service')
    expect(errorCode(stolen)).toBe('session_not_found')
    expect(stolen).toEqual(unknown)
    const other = await connect(app.url)
    expect(errorCode(await serviceOn(other, sessionId))).toBe('session_not_found')
    expect(await serviceOn(other, sessionId)).toEqual(await serviceOn(other, createId('ses')))
    for (const name of ['logout', 'login', 'session']) {
      expect(errorCode(await callWith(app.url, sessionId, name))).toBe('session_not_found')
    }
    expect(structured<{ owner: string }>(await serviceOn(headers)).owner).toBe('Ada Lovelace')
  })

  test('is not reached by its id in the header either', async () => {
    const { headers, sessionId } = await signedInConnection()
    for (const id of [sessionId, sessionId.replace('ses_', 'con_')]) {
      const stolen = { 'mcp-session-id': id }
      expect((await read(post(app.url, request('ping'), stolen))).status).toBe(404)
      const ended = await fetch(`${app.url}/mcp`, { method: 'DELETE', headers: stolen })
      expect(ended.status).toBe(404)
    }
    expect((await read(post(app.url, request('ping'), headers))).status).toBe(200)
  })

  test('is not reached by variants of the id of its MCP session', async () => {
    const { headers } = await signedInConnection()
    const id = headers['mcp-session-id']
    const variants = [
      id.toUpperCase(),
      id.slice(0, -1),
      `${id}A`,
      `${id}%00`,
      `${id},${id}`,
      `{${id}}`,
      `${id}:conn`,
      `con_{${id}}`,
      `*${id.slice(1)}`,
    ]
    for (const variant of variants) {
      const answer = await read(post(app.url, request('ping'), { 'mcp-session-id': variant }))
      expect([answer.status, answer.message.error?.code]).toEqual([404, -32001])
    }
  })

  test('ends with its MCP session, the sign-in included', async () => {
    const { headers, sessionId } = await signedInConnection()
    await fetch(`${app.url}/mcp`, { method: 'DELETE', headers })
    expect(await store.get(`{${sessionId}}:session`)).toBeUndefined()
  })

  test('is another session after logout, without the sign-in', async () => {
    const { headers, sessionId } = await signedInConnection()
    await read(post(app.url, request('tools/call', { name: 'logout' }), headers))
    expect(await store.get(`{${sessionId}}:session`)).toBeUndefined()
    expect(errorCode(await serviceOn(headers))).toBe('login_required')
  })
})

describe('a session handle', () => {
  test('of one person does not show the other', async () => {
    const [ada, grace] = [await login(app.url), await login(app.url)]
    await signInAs(newBrowser(), ada, 'ada')
    await signInAs(newBrowser(), grace, 'grace')
    const owner = async (session: string) =>
      structured<{ owner: string }>(await callWith(app.url, session, 'service')).owner
    expect(await owner(ada.session)).toBe('Ada Lovelace')
    expect(await owner(grace.session)).toBe('Grace Hopper')
  })

  test('that is unknown, malformed or of another kind is refused alike', async () => {
    const { 'mcp-session-id': connection } = await connect(app.url)
    const unknown = await callWith(app.url, createId('ses'), 'session')
    for (const handle of ['', 'ses_', 'x', '__proto__', connection, '*', '{ses_x}:session']) {
      expect(await callWith(app.url, handle, 'session')).toEqual(unknown)
    }
  })

  test('is refused after logout', async () => {
    const { session } = await login(app.url)
    await callWith(app.url, session, 'logout')
    expect(errorCode(await callWith(app.url, session, 'session'))).toBe('session_not_found')
  })
})

test('200 clients with the same request id get their own answers only', async () => {
  const own = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  const talk = async (index: number) => {
    const era = ERAS[index % 2] ?? ERAS[0]
    const text = `canary-${index}-${createId('x')}`
    // 2025-era responses become streams after 300 ms: both forms are tested.
    const delayMs = Math.floor(Math.random() * 600)
    const answer = await sendRequest(own.url, String(era), 'tools/call', {
      name: 'echo',
      arguments: { text, delayMs },
    })
    expect(answer.messages).toHaveLength(1)
    expect(answer.message.id).toBe(1)
    expect(structured<{ text: string }>(answer.message.result ?? {}).text).toBe(text)
    expect(answer.text.match(/canary-\d+-/g)?.every((found) => found === `canary-${index}-`)).toBe(
      true,
    )
  }
  await Promise.all(Array.from({ length: 200 }, (_, index) => talk(index)))
  await own.stop()
})

test('50 concurrent calls of one MCP session with the same id get their own answers', async () => {
  const own = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  const headers = await connect(own.url)
  const talk = async (index: number) => {
    const params = { name: 'echo', arguments: { text: `mine-${index}`, delayMs: index * 10 } }
    const { message } = await read(post(own.url, request('tools/call', params, 'same'), headers))
    expect(structured<{ text: string }>(message.result ?? {}).text).toBe(`mine-${index}`)
  }
  await Promise.all(Array.from({ length: 50 }, (_, index) => talk(index)))
  await own.stop()
})

test('a client that disconnects does not end the call of another with the same id', async () => {
  const own = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  const hold = (key: string) => ({ name: 'hold', arguments: { key } })
  const leave = new AbortController()
  const leaving = postModern(own.url, 'tools/call', hold('leaves'), { signal: leave.signal })
  const staying = read(postModern(own.url, 'tools/call', hold('stays')))
  await Promise.all([probe('leaves').started, probe('stays').started])
  leave.abort()
  await expect(leaving).rejects.toThrow()
  expect(await probe('leaves').ended).toBe(true)
  probe('stays').release()
  expect((await staying).message.result).toMatchObject({ structuredContent: { aborted: false } })
  await own.stop()
})

test('knowing an id does not renew a session', async () => {
  let now = Date.now()
  const store = createMemoryStore({ now: () => now })
  const own = await startTokenApp({ store, env: { SESSION_TTL: '60' } })
  onTestFinished(() => own.stop())
  const { headers } = await read(post(own.url, INITIALIZE, await own.bearer()))
  const id = headers.get('mcp-session-id') ?? ''
  const connection = await store.get(`{${id}}:conn`)
  const session = String(connection?.sessionId)
  for (let passed = 0; passed < 60; passed += 10) {
    expect(await store.get(`{${id}}:conn`)).toBeDefined()
    expect(await store.get(`{${session}}:session`)).toBeDefined()
    now += 10_000
    for (const thief of [{}, await own.bearer({ subject: 'somebody else' })]) {
      const stolen = { ...thief, 'mcp-session-id': id }
      expect((await read(post(own.url, request('ping'), stolen))).status).toBe(404)
    }
    expect(errorCode(await callWith(own.url, session, 'session'))).toBe('session_not_found')
  }
  expect(await store.get(`{${id}}:conn`)).toBeUndefined()
  expect(await store.get(`{${session}}:session`)).toBeUndefined()
})
