/** Cross-talk: requests share long-lived SDK servers, and nothing of one reaches another. */

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { contextOf } from '../fixtures/cross-talk/call-contexts.ts'
import { ERAS } from '../support/clients.ts'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'
import { type Answer, connect, type HeaderFields, post, postModern, read } from '../support/wire.ts'

const CATALOG = join(import.meta.dirname, '../fixtures/cross-talk')
/** Several concurrent callers, each with several concurrent calls, all with these ids. */
const CALLERS = 25
const IDS = Array.from({ length: 20 }, (_, index) => index)
// Four thousand calls, of which hundreds run concurrently.
vi.setConfig({ testTimeout: 240_000 })

let app: TokenApp
beforeAll(async () => {
  const env = { RATE_LIMIT: 'off', MAX_CALLS: '5000', MAX_STREAMS: '5000' }
  app = await startTokenApp({ catalogDirectory: CATALOG, env })
})
afterAll(() => app.stop())

interface Caller {
  readonly name: string
  call(id: number, input: object, signal?: AbortSignal): Promise<Response>
  cancel(id: number): Promise<unknown>
}

const NOTIFYING = { steps: 2, waitMs: 5 }

/** Opens a caller with a session of its own, which contains the caller's name. */
async function enter(era: string, name: string): Promise<Caller> {
  const bearer = await app.bearer({ subject: `${era} ${name}` })
  const headers: HeaderFields =
    era === '2026-07-28' ? bearer : { ...bearer, ...(await connectWith(bearer)) }
  const caller = {
    name,
    call: (id: number, input: object, signal?: AbortSignal) =>
      send(era, headers, { id, name: 'mirror', input, ...(signal && { signal }) }),
    async cancel(id: number) {
      const params = { requestId: id, reason: 'no longer needed' }
      const message = { jsonrpc: '2.0', method: 'notifications/cancelled', params }
      return (await post(app.url, message, headers)).text()
    },
  }
  await read(send(era, headers, { id: 0, name: 'own', input: { name } }))
  return caller
}

async function connectWith(bearer: HeaderFields) {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'by hand', version: '1' },
  }
  const message = { jsonrpc: '2.0', id: 0, method: 'initialize', params }
  const response = await post(app.url, message, bearer)
  await response.text()
  const id = response.headers.get('mcp-session-id') ?? ''
  return { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
}

interface Sent {
  readonly id: number
  readonly name: string
  readonly input: object
  readonly signal?: AbortSignal
}

function send(era: string, headers: HeaderFields, { id, name, input, signal }: Sent) {
  // Other callers use the same progress token.
  const _meta = { progressToken: id, 'io.modelcontextprotocol/logLevel': 'debug' }
  const isNotifying = 'steps' in input || 'late' in input
  const params = { name, arguments: input }
  if (era === '2026-07-28') {
    const options = { id, headers, ...(signal && { signal }) }
    return postModern(app.url, 'tools/call', params, {
      ...options,
      ...(isNotifying && { meta: _meta }),
    })
  }
  const asked = isNotifying ? { ...params, _meta: { progressToken: id } } : params
  const message = { jsonrpc: '2.0', id, method: 'tools/call', params: asked }
  return post(app.url, message, headers, signal ?? null)
}

/** Expects that all messages of a response belong to this call and this caller. */
function expectOwn({ messages, message }: Answer, caller: Caller, id: number, text: string): void {
  expect(message.id).toBe(id)
  expect(message.result?.structuredContent).toEqual({ text, owner: caller.name, said: '' })
  for (const { method, params } of messages.slice(0, -1)) {
    if (method === 'notifications/progress') {
      expect(params).toMatchObject({ progressToken: id, message: text })
    } else {
      expect(params).toMatchObject({ data: text })
    }
  }
}

describe.each(ERAS)('in %s', (era) => {
  let callers: readonly Caller[]
  beforeAll(async () => {
    const names = Array.from({ length: CALLERS }, (_, index) => `caller ${index}`)
    callers = await Promise.all(names.map((name) => enter(era, name)))
  })

  /** Makes calls of all callers with all ids concurrently, and checks every response. */
  async function everybody(inputOf: (id: number) => object): Promise<Answer[]> {
    const calls = callers.flatMap((caller) =>
      IDS.map(async (id) => {
        const text = `${caller.name}, call ${id}`
        const answer = await read(caller.call(id, { text, ...inputOf(id) }))
        expectOwn(answer, caller, id, text)
        return answer
      }),
    )
    return Promise.all(calls)
  }

  test('each of many calls with the same ids gets its own answer', async () => {
    const answers = await everybody(() => ({}))
    expect(answers).toHaveLength(CALLERS * IDS.length)
  })

  test('messages before a response reach their caller', async () => {
    const answers = await everybody(() => NOTIFYING)
    for (const { messages } of answers) {
      const progress = messages.filter(({ method }) => method === 'notifications/progress')
      expect(progress).toHaveLength(NOTIFYING.steps)
    }
  })

  test('messages after a response are dropped', async () => {
    await everybody((id) => (id % 2 === 0 ? { late: true } : NOTIFYING))
  })

  test('disconnected calls do not affect others', async () => {
    const leaving = new AbortController()
    const left = callers.flatMap((caller) =>
      IDS.map((id) =>
        caller
          .call(id, { text: 'left', waitMs: 10_000 }, leaving.signal)
          .then((response) => response.text())
          .catch(() => 'gone'),
      ),
    )
    await delay(100)
    const staying = everybody((id) => (id % 3 === 0 ? { waitMs: 50 } : NOTIFYING))
    leaving.abort()
    await staying
    // In the 2025 era disconnecting does not cancel.
    if (era === '2025-11-25') await Promise.all(callers.flatMap((each) => IDS.map(each.cancel)))
    await Promise.all(left)
    await everybody(() => ({}))
  })
})

test('a cancellation reaches the call of its sender, and no other of that id', async () => {
  const [one, other] = await Promise.all([enter('2025-11-25', 'one'), enter('2025-11-25', 'other')])
  const cancelled = one.call(7, { text: 'one', waitMs: 10_000, steps: 1 })
  const kept = read(other.call(7, { text: 'other', waitMs: 400, steps: 1 }))
  await cancelled
  await one.cancel(7)
  expectOwn(await kept, other, 7, 'other')
  expect(await (await cancelled).text()).not.toContain('structuredContent')
})

test.each(ERAS)('in %s, the context of a call is invalid after it', async (era) => {
  const [first, second] = await Promise.all([enter(era, 'first'), enter(era, 'second')])
  await read(first.call(1, { text: `${era} kept`, keeps: true, steps: 1 }))
  const { progress, client, ask, signal } = contextOf(`${era} kept`)
  const running = second.call(1, { text: 'second', steps: 1, waitMs: 300 })
  await delay(100)
  expect(signal.aborted).toBe(true)
  await progress(50, 50, 'stray')
  await client.log('error', 'stray')
  await expect(ask({} as never)).resolves.toEqual({})
  const answer = await read(running)
  expect(answer.text).not.toContain('stray')
  expectOwn(answer, second, 1, 'second')
})

describe('requests of the server', () => {
  const WHO = { jsonrpc: '2.0', result: { action: 'accept', content: { name: 'the right one' } } }

  test('are answered only by their client, not by others who know their ids', async () => {
    const open = async () => connect(app.url, { elicitation: { form: {} } })
    const [asked, stranger] = await Promise.all([open(), open()])
    const params = { name: 'mirror', arguments: { text: 'asked', asks: true } }
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
    const response = await post(app.url, message, asked)
    const reader = (response.body ?? expect.fail('no stream')).getReader()
    let text = ''
    while (!text.includes('elicitation/create')) {
      text += new TextDecoder().decode((await reader.read()).value)
    }
    const id = /"id":"([\da-f]+\.\d+\.[\w-]+)"/.exec(text)?.[1]
    const answer = (name: string) => ({
      ...WHO,
      id,
      result: { action: 'accept', content: { name } },
    })
    await (await post(app.url, answer('a stranger'), stranger)).text()
    await (await post(app.url, answer('the right one'), asked)).text()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += new TextDecoder().decode(part.value)
    }
    expect(text).toContain('the right one')
    expect(text).not.toContain('a stranger')
  })
})
