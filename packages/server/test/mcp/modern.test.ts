/** The 2026 era's own refusals, each with its status and its code. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { recordingStore } from '../support/recording-store.ts'
import {
  envelope,
  type HeaderFields,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
})
afterAll(() => app.stop())

const CALL = { name: 'echo', arguments: { text: 'x' } }

test.each<[string, HeaderFields]>([
  ['another version', { 'mcp-protocol-version': '2025-11-25' }],
  ['no version', { 'mcp-protocol-version': '' }],
  ['another method', { 'mcp-method': 'tools/list' }],
  ['no method', { 'mcp-method': '' }],
  ['another name', { 'mcp-name': 'count' }],
  ['no name', { 'mcp-name': '' }],
  ['a name in broken base64', { 'mcp-name': '=?base64?%%?=' }],
])('headers with %s than the body are 400 and -32020', async (_what, headers) => {
  const { status, message } = await read(postModern(app.url, 'tools/call', CALL, { headers }))
  expect([status, message.error?.code, message.id]).toEqual([400, -32020, 1])
})

test('headers that match the body are accepted, encoded or not', async () => {
  const headers = { 'mcp-name': `=?base64?${Buffer.from('echo').toString('base64')}?=` }
  const { message } = await read(postModern(app.url, 'tools/call', CALL, { headers }))
  expect(message.result).toMatchObject({ structuredContent: { text: 'x' } })
})

test.each([
  ['no _meta', {}],
  ['a _meta without the version', { _meta: { 'io.modelcontextprotocol/clientCapabilities': {} } }],
  ['a _meta without capabilities', { _meta: without('clientCapabilities') }],
  ['a _meta without the client', { _meta: without('clientInfo') }],
  [
    'capabilities that are no object',
    { _meta: { ...envelope(), 'io.modelcontextprotocol/clientCapabilities': 'all' } },
  ],
])('%s is 400 and -32602', async (what, params) => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  const { status, message } = await read(post(app.url, request('tools/list', params), headers))
  // The client's name is optional (2026-07-28, basic: SHOULD).
  if (what === 'a _meta without the client') expect(status).toBe(200)
  else expect([status, message.error?.code]).toEqual([400, -32602])
})

function without(field: string) {
  const { [`io.modelcontextprotocol/${field}`]: _left, ...rest } = envelope() as Record<
    string,
    unknown
  >
  return rest
}

test.each(['2099-01-01', '2026-07-29', '1999-01-01', 'latest'])(
  'version %s is 400 and -32022, with the supported versions',
  async (version) => {
    const params = { _meta: envelope({}, version) }
    const headers = { 'mcp-protocol-version': version, 'mcp-method': 'tools/list' }
    const { status, message } = await read(post(app.url, request('tools/list', params), headers))
    expect([status, message.error?.code]).toEqual([400, -32022])
    expect(message.error?.data).toMatchObject({ supported: ['2026-07-28'] })
  },
)

test('initialize does not exist in this era: 404 and -32601', async () => {
  const { status, message } = await read(postModern(app.url, 'initialize'))
  expect([status, message.error?.code]).toEqual([404, -32601])
})

test('a client must accept both response formats: 406 otherwise', async () => {
  const headers = { accept: 'application/json' }
  const { status } = await read(postModern(app.url, 'tools/list', {}, { headers }))
  expect(status).toBe(406)
})

test('calls without a session store nothing', async () => {
  await read(postModern(app.url, 'tools/call', CALL))
  await read(postModern(app.url, 'server/discover'))
  expect(written).toEqual([])
})
