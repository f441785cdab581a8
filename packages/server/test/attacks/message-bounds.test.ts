/** Bounds of one message before validation: values, bytes and parts. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import {
  connect,
  envelope,
  INITIALIZE,
  PROTOCOL_CATALOG,
  post,
  postModern,
  postText,
  read,
  request,
} from '../support/wire.ts'

const KIBIBYTE = 1024
const MOST_VALUES = 10_000
/** The root, `jsonrpc`, `id`, `method`, `params`, `name`, `arguments`, `text` and `list`. */
const CALL_VALUES = 9

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const call = (more: object) =>
  request('tools/call', { name: 'echo', arguments: { text: 'hi', list: more } })

const keys = (count: number, value: unknown = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, value]))

describe('values', () => {
  const shapes: Record<string, (count: number) => object> = {
    elements: (count) => Array.from({ length: count }, () => 1),
    members: (count) => keys(count),
    'containers that are empty': (count) => Array.from({ length: count }, () => ({})),
    'containers in containers': (count) => Array.from({ length: count / 2 }, () => [0]),
  }
  const cases = Object.entries(shapes).flatMap(([name, make]) =>
    [0, 1].map((indent) => [name, indent === 0 ? 'compact' : 'padded', make, indent] as const),
  )

  test.each(cases)(
    '%s, %s: the limit is accepted, one more is refused',
    async (_name, _how, make, indent) => {
      const headers = await connect(app.url)
      const send = (count: number) =>
        read(postText(app.url, JSON.stringify(call(make(count)), null, indent), headers))
      const most = MOST_VALUES - CALL_VALUES
      const even = most - (most % 2)
      expect((await send(even)).status).toBe(200)
      const { status, message } = await send(even + 2)
      expect([status, message.error?.code]).toEqual([400, -32600])
      expect(message.error?.message).toContain('10000')
    },
  )

  test('commas and brackets inside strings do not count', async () => {
    const headers = await connect(app.url)
    for (const text of [
      ',[{'.repeat(100_000),
      '\\",'.repeat(100_000),
      `\\\\${',"'.repeat(9000)}`,
    ]) {
      const message = request('tools/call', { name: 'echo', arguments: { text } })
      expect((await read(post(app.url, message, headers))).status).toBe(200)
    }
  })
})

describe('bytes', () => {
  const sizes = [
    ['initialize', 16, (pad: string) => ({ ...INITIALIZE, params: { ...INITIALIZE.params, pad } })],
    ['a notification', 16, (pad: string) => notification({ pad })],
    ['ping', 64, (pad: string) => request('ping', { pad })],
    ['a method there is not', 64, (pad: string) => request('x/y', { pad })],
    ['a list', 64, (pad: string) => request('tools/list', { _meta: { pad } })],
    ['no message', 64, (pad: string) => ({ pad })],
  ] as const

  test.each(sizes)('%s has at most %i KiB', async (_what, kibibytes, make) => {
    const headers = await connect(app.url)
    const send = (bytes: number) => {
      const pad = 'x'.repeat(bytes - JSON.stringify(make('')).length)
      return read(post(app.url, make(pad), headers))
    }
    expect((await send(kibibytes * KIBIBYTE)).status).not.toBe(413)
    const { status, message } = await send(kibibytes * KIBIBYTE + 1)
    expect([status, message.error?.code]).toEqual([413, -32000])
    expect(message.error?.message).toContain(String(kibibytes * KIBIBYTE))
  })

  test.each(['server/discover', 'tools/list', 'resources/read', 'notifications/cancelled'])(
    '2026: %s is bounded as well',
    async (method) => {
      const params = { uri: 'x:y', pad: 'x'.repeat(64 * KIBIBYTE) }
      expect((await read(postModern(app.url, method, params))).status).toBe(413)
    },
  )

  test('over HTTP+SSE and in calls without the protocol as well', async () => {
    const big = 'x'.repeat(64 * KIBIBYTE)
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const send = (path: string, body: unknown) =>
      fetch(app.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    const messages = '/messages?session_id=ses_x'
    expect((await send(messages, { ...INITIALIZE, params: { big } })).status).toBe(413)
    expect((await send(messages, notification({ big }))).status).toBe(413)
    expect((await send(messages, request('ping', { big }))).status).toBe(413)
  })

  test('calls and prompts have the limit of the body', async () => {
    const headers = await connect(app.url)
    const text = 'x'.repeat(900 * KIBIBYTE)
    expect((await read(post(app.url, call([text]), headers))).status).toBe(200)
    const prompt = request('prompts/get', { name: 'none', arguments: { text } })
    expect((await read(post(app.url, prompt, headers))).message.error?.code).toBe(-32602)
  })
})

describe('parts', () => {
  const text = 'x'.repeat(20 * KIBIBYTE)
  const long = (count: number) => 'n'.repeat(count)
  test.each([
    ['an id', 256, (count: number) => request('ping', {}, long(count))],
    ['a progress token', 256, (count: number) => withMeta({ progressToken: long(count) })],
    ['members of _meta', 1000, (count: number) => withMeta(keys(count - 1), { text })],
    [
      'members of params',
      1000,
      (count: number) =>
        request('tools/call', { ...withMeta({}, { text }).params, ...keys(count - 5) }),
    ],
    ['a name', 1024, (count: number) => request('prompts/get', { name: long(count), text })],
    [
      'arguments of a prompt',
      1000,
      (count: number) => request('prompts/get', { name: 'x', arguments: keys(count), text }),
    ],
  ])('%s: %i at most', async (_what, most, make) => {
    const headers = await connect(app.url)
    const send = (count: number) => read(post(app.url, make(count), headers))
    expect((await send(most)).status).toBe(200)
    expect((await send(most + 2)).status).toBe(400)
  })

  // 16 KiB of text in another member: only larger messages are counted.
  const nested = (name: string) => (count: number) => ({ x: { [name]: keys(count) }, text })
  test.each(['arguments', 'inputResponses', '_meta'])(
    '"%s" is exempt from the limit of 1,000 values in params only',
    async (name) => {
      const headers = await connect(app.url)
      const deeper = (count: number) => ({ name: 'echo', ...nested(name)(count) })
      const messages = [
        request('ping', nested(name)(1000)),
        request('tools/list', { a: [{ b: nested(name)(1000) }] }),
        request('prompts/get', deeper(1000)),
        request('tools/call', { ...deeper(1000), arguments: { text } }),
        { ...request('ping', { text }), [name]: keys(1000) },
        { ...request('ping', { text }), x: { params: { [name]: keys(1000) } } },
        { jsonrpc: '2.0', id: 1, method: 'ping', params: [{ [name]: keys(1000) }, text] },
      ]
      for (const message of messages) {
        const { status, message: answer } = await read(post(app.url, message, headers))
        expect([status, answer.error?.code]).toEqual([400, -32602])
        expect(answer.error?.message).toContain('The message has too many values')
      }
      const fits = request('ping', nested(name)(900))
      expect((await read(post(app.url, fits, headers))).status).toBe(200)
      const modern = await read(postModern(app.url, 'tools/list', nested(name)(1000)))
      expect([modern.status, modern.message.error?.code]).toEqual([400, -32602])
    },
  )

  function withMeta(_meta: object, input: object = {}) {
    return request('tools/call', { name: 'echo', arguments: { text: 'hi', ...input }, _meta })
  }
})

function notification(params: object) {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, ...params } }
}

/** Much work for a processor that others use. */
const LONG = { timeout: 400_000 }

/**
 * Client and server share a process, and both figures include the client's work: the server's own
 * ratio is lower still.
 */
test('no large request costs more than a few normal calls for each 16 KiB', LONG, async () => {
  const headers = await connect(app.url)
  const small = JSON.stringify(request('tools/call', { name: 'echo', arguments: { text: 'hi' } }))
  const cost = async (body: string, times: number, more: Record<string, string> = headers) => {
    const costs: number[] = []
    // The cheapest of three rounds: others on the machine, and the warm-up, only add to it.
    for (let round = 0; round < 3; round += 1) {
      const before = process.cpuUsage()
      for (let run = 0; run < times; run += 1) await read(postText(app.url, body, more))
      const { user, system } = process.cpuUsage(before)
      costs.push((user + system) / times)
    }
    return Math.min(...costs)
  }
  const normal = await cost(small, 200)
  const text = 'x'.repeat(80)
  const answer = (more: object) => ({ jsonrpc: '2.0', id: '0123456789ab.7', ...more })
  const bodies = {
    answer: JSON.stringify(answer({ result: keys(9900) })),
    error: JSON.stringify(answer({ error: { code: 1, message: '', data: keys(9900) } })),
    'answer of no version': JSON.stringify({ id: 1, result: keys(9900) }),
    keys: JSON.stringify(call(keys(9900))),
    'many keys': JSON.stringify(call(keys(70_000))),
    meta: JSON.stringify(
      request('tools/call', { name: 'echo', _meta: { ...envelope(), ...keys(9900) } }),
    ),
    arrays: `[${'[],'.repeat(300_000)}[]]`,
    prompt: JSON.stringify(request('prompts/get', { name: 'x', arguments: keys(9900, text) })),
    quotes: `["${','.repeat(10_001)}${'\\"'.repeat(500_000)}"]`,
    initialize: JSON.stringify({ ...INITIALIZE, params: { ...INITIALIZE.params, ...keys(9900) } }),
    ping: JSON.stringify(request('ping', keys(4500))),
    nested: JSON.stringify(request('ping', { x: { arguments: keys(4500) } })),
    apart: JSON.stringify(request('ping', { arguments: keys(4500) })),
    responses: JSON.stringify(
      request('tools/call', { name: 'echo', arguments: { text }, inputResponses: keys(9900, {}) }),
    ),
  }
  for (const [name, body] of Object.entries(bodies)) {
    const units = 1 + Math.floor(body.length / (16 * KIBIBYTE))
    const ratio = (await cost(body, 8)) / normal / units
    expect(ratio, name).toBeLessThan(10)
  }
  // Refused after parsing and counting, before validation.
  const refused = await cost(JSON.stringify(request('ping', keys(4500))), 30)
  for (const name of ['answer', 'error', 'answer of no version'] as const) {
    expect((await cost(bodies[name], 30)) / refused, name).toBeLessThan(4)
  }
})
