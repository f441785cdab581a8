/**
 * The fast path compared with the SDK (MCP_FAST_PATH=off): same status, headers and bodies,
 * refusals and challenges included.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'
import { connect, envelope, INITIALIZE, PROTOCOL_CATALOG, post, read } from '../support/wire.ts'

interface Variant {
  readonly app: TokenApp
  /** The headers of each kind of caller. */
  readonly callers: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const PAGE = 'https://page.example'

async function startVariant(fastPath: 'on' | 'off'): Promise<Variant> {
  const app = await startTokenApp({
    catalogDirectory: PROTOCOL_CATALOG,
    env: { MCP_FAST_PATH: fastPath, RATE_LIMIT: 'on', ALLOWED_ORIGINS: PAGE },
  })
  const bearer = await app.bearer()
  const opened = await read(post(app.url, INITIALIZE, bearer))
  const owned = opened.headers.get('mcp-session-id') ?? ''
  const direct = await app.issuer.token(`${app.url}/http`)
  return {
    app,
    callers: {
      nobody: {},
      token: bearer,
      direct: { authorization: `Bearer ${direct}` },
      anonymous: await connect(app.url),
      owned: { ...bearer, 'mcp-session-id': owned, 'mcp-protocol-version': '2025-11-25' },
      stranger: { 'mcp-session-id': owned, 'mcp-protocol-version': '2025-11-25' },
      'bad token': { authorization: 'Bearer nonsense' },
      'two tokens': { authorization: `${bearer.authorization}, ${bearer.authorization}` },
    },
  }
}

let fast: Variant
let slow: Variant
beforeAll(async () => {
  fast = await startVariant('on')
  slow = await startVariant('off')
})
afterAll(() => Promise.all([fast.app.stop(), slow.app.stop()]))

const UTF_16 = 'application/json; charset=utf-16'
const PROGRESS = '"_meta":{"progressToken":"p"}'
const JSON_TYPE = { 'content-type': 'application/json' }
const BOTH = { ...JSON_TYPE, accept: 'application/json, text/event-stream' }

interface Sent {
  readonly path: '/mcp' | '/http'
  readonly caller: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Headers that differ by request or time. */
const VOLATILE = ['date', 'x-request-id', 'keep-alive', 'ratelimit', 'content-length']

async function answerOf({ app, callers }: Variant, { path, caller, headers, body }: Sent) {
  const response = await fetch(app.url + path, {
    method: 'POST',
    headers: { ...headers, ...callers[caller] },
    body,
  })
  const own = (text: string) => text.replaceAll(app.url, 'URL').replaceAll(app.issuer.url, 'ISSUER')
  const text = own(await response.text())
  const fields = [...response.headers].filter(([name]) => !VOLATILE.includes(name))
  return {
    status: response.status,
    headers: Object.fromEntries(fields.map(([name, value]) => [name, own(value)])),
    counted: response.headers.has('ratelimit'),
    named: response.headers.has('x-request-id'),
    body: text.startsWith('{') ? JSON.parse(text) : text,
  }
}

async function expectSame(sent: Sent): Promise<void> {
  // The first call of a kind of client is always served by the SDK.
  await answerOf(fast, sent)
  const [ours, theirs] = [await answerOf(fast, sent), await answerOf(slow, sent)]
  expect(ours).toEqual(theirs)
}

type Params = Readonly<Record<string, unknown>>

const FORMS: Readonly<Record<string, (params: Params) => Omit<Sent, 'caller'>>> = {
  '2026-07-28': (params) => ({
    path: '/mcp',
    headers: {
      ...BOTH,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': String(params.name),
    },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 'a"b', method: 'tools/call' },
      params: { ...params, _meta: envelope() },
    }),
  }),
  '2025-11-25': (params) => ({
    path: '/mcp',
    headers: { ...BOTH, 'mcp-protocol-version': '2025-11-25' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }),
  }),
  direct: (params) => ({
    path: '/http',
    headers: JSON_TYPE,
    body: JSON.stringify({ method: 'tools/call', params }),
  }),
}

const CALLERS: Readonly<Record<string, readonly string[]>> = {
  '2026-07-28': ['nobody', 'token', 'bad token', 'two tokens'],
  '2025-11-25': ['anonymous', 'owned', 'stranger', 'bad token', 'nobody'],
  direct: ['direct', 'nobody', 'token', 'bad token'],
}

const CALLS: readonly [string, Params][] = [
  ['a result', { name: 'echo', arguments: { text: 'hello "\u2028 \ud800' } }],
  ['arguments that do not fit', { name: 'echo', arguments: { text: 7 } }],
  ['arguments that are no object', { name: 'echo', arguments: [] }],
  ['arguments that are missing', { name: 'echo' }],
  ['a tool that fails', { name: 'broken', arguments: {} }],
  ['a tool there is not', { name: 'nothing', arguments: {} }],
  ['a session that is not named by a text', { name: 'count', arguments: { session: 1 } }],
  ['another member', { name: 'echo', arguments: { text: 'x' }, task: {} }],
]

describe.each(Object.keys(FORMS))('in %s', (form) => {
  const make = FORMS[form] ?? expect.fail()

  describe.each(CALLERS[form] ?? [])('by a caller with %s', (caller) => {
    test.each(CALLS)('%s', (_what, params) => expectSame({ ...make(params), caller }))
  })

  const caller = CALLERS[form]?.[0] ?? ''
  const echo = make({ name: 'echo', arguments: { text: 'x' } })
  test.each<[string, Partial<Sent>]>([
    ['a page', { headers: { ...echo.headers, origin: PAGE } }],
    ['no type', { headers: { ...echo.headers, 'content-type': 'text/plain' } }],
    ['an encoding', { headers: { ...echo.headers, 'content-encoding': 'gzip' } }],
    ['no list of types', { headers: { ...echo.headers, accept: 'application/json' } }],
    ['another method in its header', { headers: { ...echo.headers, 'mcp-method': 'tools/list' } }],
    ['another name in its header', { headers: { ...echo.headers, 'mcp-name': 'count' } }],
    ['an unknown revision', { headers: { ...echo.headers, 'mcp-protocol-version': '1999-01-01' } }],
    ['no JSON', { body: '{"method":' }],
    ['a list', { body: `[${echo.body}]` }],
    ['too much depth', { body: '['.repeat(100) + ']'.repeat(100) }],
    ['a long id', { body: echo.body.replace('{', `{"id":"${'x'.repeat(300)}",`) }],
    ['a text for null', { body: 'null' }],
    ['an empty body', { body: '' }],
    ['a byte order mark', { body: `\ufeff${echo.body}` }],
    ['a type with a charset', { headers: { ...echo.headers, 'content-type': UTF_16 } }],
    ['a type in capitals', { headers: { ...echo.headers, 'content-type': 'APPLICATION/JSON;' } }],
    ['the identity encoding', { headers: { ...echo.headers, 'content-encoding': 'Identity' } }],
    ['any type', { headers: { ...echo.headers, accept: '*/*' } }],
    ['an empty revision', { headers: { ...echo.headers, 'mcp-protocol-version': '' } }],
    ['an unknown MCP session', { headers: { ...echo.headers, 'mcp-session-id': 'con_x}{y' } }],
    ['no MCP session', { headers: { ...echo.headers, 'mcp-session-id': '' } }],
    ['arguments that are null', { body: echo.body.replace('{"text":"x"}', 'null') }],
    ['`_meta` that is null', { body: echo.body.replace('"params":{', '"params":{"_meta":null,') }],
    ['an empty `_meta`', { body: echo.body.replace('"params":{', '"params":{"_meta":{},') }],
    ['a progress token', { body: echo.body.replace('"params":{', `"params":{${PROGRESS},`) }],
    ['an unknown parameter', { body: echo.body.replace('"params":{', '"params":{"x":1,') }],
    [
      'params that are null',
      { body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}' },
    ],
    ['a prototype', { body: echo.body.replace('{', '{"__proto__":{"id":1},') }],
    [
      'a prototype of params',
      { body: echo.body.replace('"params":{', '"params":{"__proto__":{},') },
    ],
    ['a member twice', { body: echo.body.replace('{', '{"method":"tools/list",') }],
    ['another version of JSON-RPC', { body: echo.body.replace('"2.0"', '"1.0"') }],
    ['no id', { body: echo.body.replace(/"id":[^,]+,/, '') }],
    ...['null', '1.5', '-0', '1e3', '1e400', '9007199254740993', '""', 'true', '{}'].map(
      (id): [string, Partial<Sent>] => [
        `the id ${id}`,
        { body: echo.body.replace(/"id":(?:7|"a..b")/, `"id":${id}`) },
      ],
    ),
  ])('of %s', (_what, more) => expectSame({ ...echo, caller, ...more }))

  test('a page of an allowed origin can read the reason of a refusal', () =>
    expectSame({
      ...echo,
      headers: { ...echo.headers, origin: PAGE },
      body: '{',
      caller: 'bad token',
    }))
})
