/** Stored text of clients is bounded in bytes, whichever characters it has. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient, REDIRECT_URI, register } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'
import { connect, INITIALIZE, PROTOCOL_CATALOG, post, read, request } from '../support/wire.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store, catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const initialize = (more: object) =>
  read(post(app.url, { ...INITIALIZE, params: { ...INITIALIZE.params, ...more } }))

describe('capabilities of 8,192 bytes are stored, and none of more', () => {
  const outside = JSON.stringify({ experimental: { x: { t: '' } } }).length
  it.each([
    ['one byte each', 'x', 1],
    ['two bytes each', 'ä', 2],
    ['three bytes each', '漢', 3],
    ['four bytes each', '😀', 4],
  ])('%s', async (_, character, bytes) => {
    const count = Math.floor((8192 - outside) / bytes)
    const of = (length: number) => ({
      capabilities: { experimental: { x: { t: character.repeat(length) } } },
    })
    expect((await initialize(of(count))).status).toBe(200)
    const refused = await initialize(of(count + 1))
    expect([refused.status, refused.headers.get('mcp-session-id')]).toEqual([413, null])
  })
})

it.each(['x', 'ä', '漢', '😀', '\ud83d'])(
  'the name of a client is truncated to 100 bytes: %j',
  async (character) => {
    written.length = 0
    const name = character.repeat(1000)
    const { status } = await initialize({ clientInfo: { name, version: name } })
    expect(status).toBe(200)
    for (const { value } of written) {
      expect(Buffer.byteLength(JSON.stringify(value))).toBeLessThan(1200)
    }
  },
)

it('the id and the progress token of a call, which are stored, have at most 256 bytes', async () => {
  const headers = await connect(app.url)
  const ping = async (id: string) =>
    (await read(post(app.url, request('ping', {}, id), headers))).status
  expect(await ping('x'.repeat(256))).toBe(200)
  expect(await ping('x'.repeat(257))).toBe(400)
  expect(await ping('漢'.repeat(100))).toBe(400)
  const token = async (progressToken: string | number) =>
    (await read(post(app.url, request('ping', { _meta: { progressToken } }), headers))).status
  expect(await token('x'.repeat(256))).toBe(200)
  expect(await token(2 ** 40)).toBe(200)
  expect(await token('x'.repeat(257))).toBe(400)
})

describe('the query of /authorize is limited', () => {
  const send = async (bytes: number, parameter = 'state') => {
    const client = await createOAuthClient(app.url)
    const { url } = client.request({ state: 's' })
    const missing = bytes - (url.search.length - 1) - `&${parameter}=`.length
    const search = `${url.search}&${parameter}=${'x'.repeat(missing)}`
    return fetch(`${app.url}/authorize${search}`, { redirect: 'manual' })
  }

  it('and is refused with 414 above', async () => {
    expect((await send(2048, 'extra')).status).toBe(303)
    written.length = 0
    const refused = await send(2049, 'extra')
    expect(refused.status).toBe(414)
    expect(await refused.json()).toMatchObject({ error: 'invalid_request' })
    expect(written.filter(({ key }) => key.includes('Interaction'))).toEqual([])
  })

  it.each(['resource', 'state', 'scope', 'claims'])(
    'whichever parameter is long: %s',
    async (name) => {
      expect((await send(9000, name)).status).toBe(414)
    },
  )
})

it('metadata of a client has 16,384 bytes', async () => {
  const of = (character: string, count: number) =>
    register(app.url, { client_name: character.repeat(count), redirect_uris: [REDIRECT_URI] })
  expect((await of('x', 15_000)).status).toBe(201)
  expect((await of('漢', 5000)).status).toBe(201)
  expect((await of('漢', 6000)).status).toBe(400)
})
