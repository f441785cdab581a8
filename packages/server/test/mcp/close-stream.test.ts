/** A tool that closes its client's stream: the client resumes it for the response. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS, textOf } from '../support/clients.ts'
import { connect, INITIALIZE, post, read, request } from '../support/wire.ts'

const catalogDirectory = join(import.meta.dirname, '../../../../conformance')
const CALL = { name: 'test_reconnection', arguments: {} }
const ANSWER = 'The client came back for this.'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory })
})
afterAll(() => app.stop())

describe('when a tool closes the stream', () => {
  test('the stream ends with a reconnection delay, and a GET has the response', async () => {
    const headers = await connect(app.url)
    const { text, messages } = await read(post(app.url, request('tools/call', CALL), headers))
    expect(messages).toEqual([])
    expect(text).toMatch(/^id: r\.\S+\ndata: \n\nretry: 500\n\n$/)
    const [, id = ''] = /^id: (\S+)/.exec(text) ?? []
    const accept = 'text/event-stream'
    const resumed = await read(
      fetch(`${app.url}/mcp`, { headers: { ...headers, accept, 'last-event-id': id } }),
    )
    expect(textOf(resumed.message.result ?? {})).toBe(ANSWER)
  })

  test.each(ERAS)('a client of %s has its answer all the same', async (era) => {
    const { client } = await connectClient(app.url, era)
    expect(textOf(await client.callTool(CALL))).toBe(ANSWER)
    await client.close()
  })

  test('so has the older client', async () => {
    const client = await connectClientV1(app.url)
    expect(textOf(await client.callTool(CALL))).toBe(ANSWER)
    await client.close()
  })

  test('the stream of clients of earlier revisions is not closed', async () => {
    const params = { ...INITIALIZE.params, protocolVersion: '2025-06-18' }
    const opened = await read(post(app.url, { ...INITIALIZE, params }))
    const headers = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-06-18',
    }
    const { message } = await read(post(app.url, request('tools/call', CALL), headers))
    expect(textOf(message.result ?? {})).toBe(ANSWER)
  })
})
