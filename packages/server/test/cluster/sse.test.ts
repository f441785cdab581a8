/** The older transport on three nodes: the stream on one, messages posted to the others. */

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, onTestFinished, test } from 'vitest'
import { createId } from '../../src/crypto/random-id.ts'
import { structured } from '../support/clients.ts'
import { responseTo, withMethod } from '../support/event-reader.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, postModern, read, request } from '../support/wire.ts'

const where = (text: string, id: string | number = text) =>
  request('tools/call', { name: 'where', arguments: { text } }, id)

describeRedis('plain', 'the older transport on three nodes', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const closeLater = useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  async function get(url: string, sessionId?: string, headers: Record<string, string> = {}) {
    return closeLater(await openSse(url, sessionId, headers))
  }

  /** Opens a session on one node, initialized on another. */
  const start = async () => initializeSse(await get(a), [b, c])

  async function connectClient(onUrl?: (url: string, message: string) => Promise<unknown>) {
    const client = new Client(
      { name: 'older client', version: '1.0.0' },
      { capabilities: { elicitation: { form: {}, url: {} } } },
    )
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      if (!('url' in params)) return { action: 'accept', content: { name: 'sse' } }
      await onUrl?.(params.url, params.message)
      return { action: 'accept' }
    })
    await client.connect(new SSEClientTransport(new URL(`${cluster.url}/sse`)))
    onTestFinished(() => client.close())
    return client
  }

  test('the official client works, wherever its messages go', async () => {
    const client = await connectClient()
    const pids = new Set<number>()
    // The balancer skips a node that was briefly busy.
    for (let turn = 0; turn < 6 || (pids.size < 3 && turn < 500); turn += 1) {
      const result = await client.callTool({ name: 'where', arguments: { text: `${turn}` } })
      const answer = structured<{ text: string; pid: number }>(result)
      expect(answer.text).toBe(`${turn}`)
      pids.add(answer.pid)
    }
    expect(pids.size).toBe(3)
    const received: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void received.push(progress)
    // The client drops progress that arrives together with the response, as it does after a stall.
    const steps = { name: 'steps', arguments: { steps: 5, everyMs: 400 } }
    await client.callTool(steps, undefined, { onprogress })
    expect(received).toEqual([1, 2, 3, 4, 5])
    const asked = await client.callTool({ name: 'ask', arguments: { kinds: ['form'] } })
    expect(JSON.stringify(asked.structuredContent)).toContain('sse')
  })

  test('signing in continues the same call', async () => {
    const client = await connectClient((url, message) =>
      signInAs(newBrowser(), { url, code: codeIn(message) }),
    )
    const result = await client.callTool({ name: 'service', arguments: {} })
    expect(structured<{ owner: string }>(result).owner).toBe('Ada Lovelace')
  })

  test('responses are on the stream, in the order of the requests', async () => {
    const { stream, path } = await start()
    for (let count = 0; count < 15; count += 1) {
      const text = `call-${count}`
      const response = await sendSse(cluster.urls[count % 3] ?? a, path, where(text))
      expect([response.status, await response.text()]).toEqual([202, 'Accepted'])
      await stream.until(responseTo(text))
    }
    const ids = stream.messages.map(({ id }) => id)
    expect(ids).toEqual(['init', ...Array.from({ length: 15 }, (_, count) => `call-${count}`)])
  })

  test('changes and cancellations work across nodes', async () => {
    const { stream, path } = await start()
    const slow = { name: 'where', arguments: { text: 'sse-unwanted', delayMs: 20_000 } }
    await sendSse(b, path, request('tools/call', slow, 'slow'))
    await expect.poll(() => cluster.node(1).output.stdout).toMatch(/"sse-unwanted".*"waiting"/)
    const cancel = { method: 'notifications/cancelled', params: { requestId: 'slow' } }
    await sendSse(c, path, { jsonrpc: '2.0', ...cancel })
    await expect.poll(() => cluster.node(1).output.stdout).toMatch(/"sse-unwanted".*"aborted"/)
    await read(postModern(c, 'tools/call', { name: 'change', arguments: {} }))
    await stream.until(withMethod('notifications/tools/list_changed'))
    expect(stream.messages.find(({ id }) => id === 'slow')).toBeUndefined()
  })

  test('an open session continues at another node, with the missed events', async () => {
    const { stream, path, id } = await start()
    await sendSse(b, path, where('before'))
    await stream.until(responseTo('before'))
    stream.close()
    await stream.ended
    await sendSse(b, path, where('missed'))
    const lastId = stream.lastId ?? ''
    const next = await get(c, id, { 'last-event-id': lastId })
    expect((await next.until(({ event }) => event === 'endpoint')).data).toBe(path)
    await next.until(responseTo('missed'))
    await sendSse(a, path, where('after'))
    await next.until(responseTo('after'))
    expect(next.messages.map(({ id }) => id)).toEqual(['missed', 'after'])
    // The newest stream replaces the previous one.
    const third = await get(a, id)
    await third.until(({ event }) => event === 'endpoint')
    expect(await next.ended).toBe(true)
  })

  test('a client that reconnects by itself continues without naming its session', async () => {
    const { stream, path } = await start()
    await sendSse(b, path, where('before'))
    await stream.until(responseTo('before'))
    stream.close()
    await sendSse(c, path, where('missed'))
    const next = await get(b, undefined, { 'last-event-id': stream.lastId ?? '' })
    expect((await next.until(({ event }) => event === 'endpoint')).data).toBe(path)
    await next.until(responseTo('missed'))
    expect(next.messages.map(({ id }) => id)).toEqual(['missed'])
  })

  test('unknown sessions, and ids of another kind, are 404', async () => {
    const headers = await connect(a)
    for (const id of [createId('ses'), 'ses_', 'x', headers['mcp-session-id']]) {
      expect((await get(b, id)).response.status).toBe(404)
      expect((await sendSse(c, `/messages?session_id=${id}`, where('x'))).status).toBe(404)
    }
    const from = { 'last-event-id': `${createId('ses')}.0.0` }
    expect((await get(b, undefined, from)).response.status).toBe(404)
  })

  test('malformed posts are refused', async () => {
    const { path } = await start()
    expect((await sendSse(a, '/messages', where('x'))).status).toBe(400)
    expect((await sendSse(b, path, [where('x')])).status).toBe(400)
    expect((await sendSse(b, path, { jsonrpc: '2.0' })).status).toBe(400)
    expect((await sendSse(c, path, 'text')).status).toBe(400)
    const type = { 'content-type': 'text/plain' }
    expect((await sendSse(c, path, where('x'), type)).status).toBe(415)
  })

  test('the logs name no session, and no fault was logged', async () => {
    const { id } = await start()
    await get(b, id)
    expect(id).toMatch(/^ses_[\w-]{43}$/)
    expect(cluster.logs()).not.toMatch(/ses_[\w-]{43}/)
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
