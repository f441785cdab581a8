/**
 * Bearer authentication: who needs a token, its session, and the lists with and without a token.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ERAS, errorCode, structured } from '../support/clients.ts'
import { listen } from '../support/event-reader.ts'
import { newBrowser, signInAs } from '../support/sign-in.ts'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'
import { connect, INITIALIZE, post, postModern, postText, read, request } from '../support/wire.ts'

let app: TokenApp
let strict: TokenApp
beforeAll(async () => {
  app = await startTokenApp()
  strict = await startTokenApp({ env: { MCP_AUTH: 'required' } })
})
afterAll(() => Promise.all([app.stop(), strict.stop()]))

/** Calls a tool of the 2026 era with these headers. */
async function call(name: string, headers: Record<string, string>, input: object = {}) {
  const params = { name, arguments: input }
  const { message } = await read(postModern(app.url, 'tools/call', params, { headers }))
  return message.result ?? {}
}

const postTo = (url: string, message: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
  })

describe('the official clients work with a token', () => {
  test.each(ERAS)('v2 in %s', async (era) => {
    const { authorization } = await app.bearer({ subject: `v2 ${era}` })
    const client = new Client(
      { name: 'with a token', version: '1' },
      { versionNegotiation: { mode: era === '2026-07-28' ? { pin: era } : 'legacy' } },
    )
    const requestInit = { headers: { authorization } }
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`), { requestInit }),
    )
    onTestFinished(() => client.close())
    const link = structured<{ url: string; code: string }>(
      await client.callTool({ name: 'login', arguments: {} }),
    )
    expect(link).not.toHaveProperty('session')
    await signInAs(newBrowser(), link)
    const account = await client.callTool({ name: 'service', arguments: {} })
    expect(structured<{ owner: string }>(account).owner).toBe('Ada Lovelace')
  })

  test('v1', async () => {
    const client = new ClientV1({ name: 'with a token', version: '1' })
    const requestInit = { headers: await app.bearer({ subject: 'v1' }) }
    const transport = new TransportV1(new URL(`${app.url}/mcp`), { requestInit })
    await client.connect(transport as Parameters<ClientV1['connect']>[0])
    onTestFinished(() => client.close())
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('service')
    const session = await client.callTool({ name: 'session', arguments: {} })
    expect(structured<{ state: string }>(session).state).toBe('anonymous')
  })
})

describe('a token', () => {
  test('opens the same session in every MCP session and in both eras', async () => {
    const bearer = await app.bearer({ subject: 'one session' })
    const link = structured<{ url: string; code: string }>(await call('login', bearer))
    await signInAs(newBrowser(), link, 'grace')
    const connection = { ...(await connectWith(bearer)), ...bearer }
    const sessionCall = request('tools/call', { name: 'session', arguments: {} })
    const { message } = await read(post(app.url, sessionCall, connection))
    expect(structured<{ name: string }>(message.result ?? {}).name).toBe('Grace Hopper')
    const newer = await app.bearer({ subject: 'one session' })
    expect(structured<{ name: string }>(await call('session', newer)).name).toBe('Grace Hopper')
  })

  test.each([
    ['another person', { subject: 'two' }],
    ['another client of the same person', { subject: 'one', client: 'client-b' }],
  ])('of %s opens another session', async (_whose, options) => {
    const first = structured<object>(await call('session', await app.bearer({ subject: 'one' })))
    await delay(5)
    const other = structured<object>(await call('session', await app.bearer(options)))
    expect(other).not.toEqual(first)
  })

  test('removes the session argument from all lists', async () => {
    const bearer = await app.bearer()
    const listed = async (headers: Record<string, string>) =>
      (await read(postModern(app.url, 'tools/list', {}, { headers }))).text
    expect(await listed({})).toContain('"session":{"type"')
    expect(await listed(bearer)).not.toContain('"session":{"type"')
    const connection = { ...(await connectWith(bearer)), ...bearer }
    const { text } = await read(post(app.url, request('tools/list'), connection))
    expect(text).not.toContain('"session":{"type"')
  })

  test('conflicts with a session handle', async () => {
    const { session } = structured<{ session: string }>(await call('login', {}))
    const refused = await call('session', await app.bearer(), { session })
    expect(errorCode(refused)).toBe('session_not_found')
    expect(await call('session', await app.bearer(), { session: 'ses_unknown' })).toEqual(refused)
  })

  test('is not read from the query', async () => {
    const token = (await strict.bearer()).authorization.split(' ')[1]
    const answer = await fetch(`${strict.url}/mcp?access_token=${token}`, { method: 'POST' })
    expect(answer.status).toBe(415)
    const url = `${strict.url}/mcp?access_token=${token}`
    expect((await postTo(url, INITIALIZE)).status).toBe(401)
  })

  test('is recognised by its scheme in any case', async () => {
    const { authorization } = await app.bearer()
    const lower = { authorization: authorization.replace('Bearer', 'bEARER') }
    expect(structured<{ state: string }>(await call('session', lower)).state).toBe('anonymous')
  })
})

describe('logging out', () => {
  test('ends the session for all tokens from before, and for none after', async () => {
    const [first, second] = [
      await app.bearer({ subject: 'leaver' }),
      await app.bearer({ subject: 'leaver' }),
    ]
    expect(structured<{ ended: boolean }>(await call('logout', first)).ended).toBe(true)
    for (const headers of [first, second]) {
      const { status } = await read(postModern(app.url, 'tools/list', {}, { headers }))
      expect(status).toBe(401)
    }
    // `iat` has a resolution of one second.
    await delay(1100)
    const newer = await app.bearer({ subject: 'leaver' })
    expect(structured<{ state: string }>(await call('session', newer)).state).toBe('anonymous')
    const { status } = await read(postModern(app.url, 'tools/list', {}, { headers: first }))
    expect(status).toBe(401)
  })

  test('ends open streams of the session', async () => {
    const bearer = await app.bearer({ subject: 'streams' })
    const connection = { ...(await connectWith(bearer)), ...bearer }
    const streams = [
      await listen(`${app.url}/mcp`, connection),
      await listen(`${app.url}/sse`, bearer),
    ]
    await call('logout', bearer)
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual([true, true])
  })

  test('is not the effect of ending an MCP session', async () => {
    const bearer = await app.bearer({ subject: 'stays' })
    const connection = { ...(await connectWith(bearer)), ...bearer }
    const ended = await fetch(`${app.url}/mcp`, { method: 'DELETE', headers: connection })
    expect(ended.status).toBe(204)
    expect(structured<object>(await call('session', bearer))).toHaveProperty('connectedAt')
  })
})

test('a stream ends when its token expires', async () => {
  const bearer = await app.bearer({ subject: 'short', ttlSeconds: 4 })
  const stream = await listen(`${app.url}/mcp`, { ...(await connectWith(bearer)), ...bearer })
  expect(stream.response.status).toBe(200)
  expect(await stream.ended).toBe(true)
})

describe('where a token is required', () => {
  const callers: [string, () => Promise<Response>][] = [
    ['/mcp', () => post(strict.url, INITIALIZE)],
    ['/mcp in the 2026 era', () => postModern(strict.url, 'tools/list')],
    ['GET /mcp', () => fetch(`${strict.url}/mcp`, { headers: { accept: 'text/event-stream' } })],
    ['DELETE /mcp', () => fetch(`${strict.url}/mcp`, { method: 'DELETE' })],
    ['/sse', () => fetch(`${strict.url}/sse`)],
    ['/messages', () => postTo(`${strict.url}/messages?session_id=x`, INITIALIZE)],
    ['/http, always', () => postTo(`${app.url}/http`, INITIALIZE)],
    ['GET /http, always', () => fetch(`${app.url}/http`)],
  ]
  test.each(callers)('%s refuses a caller without one', async (_where, send) => {
    const answer = await read(send())
    expect([answer.status, answer.message.error?.code]).toEqual([401, -32001])
  })

  test('the same callers are served with one', async () => {
    const headers = await strict.bearer()
    expect((await read(post(strict.url, INITIALIZE, headers))).status).toBe(200)
    expect((await read(postModern(strict.url, 'tools/list', {}, { headers }))).status).toBe(200)
    const stream = await listen(`${strict.url}/sse`, headers)
    expect(stream.response.status).toBe(200)
    stream.close()
  })

  test('/http serves MCP', async () => {
    const bearer = withResource(await app.issuer.token(`${app.url}/http`))
    const answer = await read(postTo(`${app.url}/http`, INITIALIZE, bearer))
    expect(answer.message.result).toHaveProperty('serverInfo')
  })
})

test.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a, Bearer b', 'Bearer "x"'])(
  'the header "%s" is malformed',
  async (authorization) => {
    const { status, headers } = await read(postText(app.url, '{}', { authorization }))
    expect(status).toBe(400)
    expect(headers.get('www-authenticate')).toContain('error="invalid_request"')
  },
)

function withResource(token: string) {
  return { authorization: `Bearer ${token}` }
}

async function connectWith(bearer: Record<string, string>) {
  const response = await post(app.url, INITIALIZE, bearer)
  await response.text()
  const { 'mcp-session-id': _, ...rest } = await connect(app.url)
  return { ...rest, 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' }
}
