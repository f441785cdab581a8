/** Calls on three nodes: progress, resumption and cancellation. */

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { within } from '../../src/store/contract/store-nodes.ts'
import { structured } from '../support/clients.ts'
import {
  type Listening,
  listen,
  listenTo,
  responseTo,
  withMethod,
} from '../support/event-reader.ts'
import { FULL_CLIENTS, LEGACY_CLIENTS } from '../support/full-clients.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, post, read, request } from '../support/wire.ts'

interface Where {
  readonly text: string
  readonly pid: number
  readonly aborted: boolean
}

const where = (text: string, delayMs = 0) =>
  request('tools/call', { name: 'where', arguments: { text, delayMs } }, `call-${text}`)

describeRedis('plain', 'calls on three nodes', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  /** Posts a call to a node, and waits for an event id, from which its stream can be resumed. */
  async function start(url: string, headers: Record<string, string>, message: object) {
    const stream = await listenTo((signal) => post(url, message, headers, signal))
    await stream.until(({ id }) => id !== undefined)
    return stream
  }

  /** The id of a stream's first event; on a busy machine, later ones may have arrived. */
  const begin = ({ events }: Listening) => events[0]?.id

  const resume = (url: string, headers: Record<string, string>, id: string | undefined) =>
    listen(`${url}/mcp`, { ...headers, 'last-event-id': id ?? '' })

  describe.each(Object.entries(FULL_CLIENTS))('%s', (_name, connectFull) => {
    test('receives progress, in order, from any node', async () => {
      const client = await connectFull(cluster.url)
      onTestFinished(() => client.close())
      const pids = new Set<number>()
      // The balancer skips a node that was briefly busy.
      for (let turn = 0; turn < 3 || (pids.size < 2 && turn < 100); turn += 1) {
        const received: number[] = []
        const onprogress = ({ progress }: { progress: number }) => void received.push(progress)
        const input = { steps: 4, everyMs: 20 }
        const result = await client.call('steps', input, { onprogress })
        expect(received).toEqual([1, 2, 3, 4])
        pids.add(structured<Where>(result).pid)
      }
      expect(pids.size).toBeGreaterThan(1)
    })

    test('answers questions of every kind, at nodes that did not ask', async () => {
      const client = await connectFull(cluster.url, 'canary-of-mine')
      onTestFinished(() => client.close())
      const kinds = ['form', 'url', 'sample', 'roots']
      const result = await client.call('ask', { kinds })
      const { answers } = structured<{ answers: string[] }>(result)
      expect(answers).toHaveLength(4)
      for (const index of [0, 2, 3]) expect(answers[index]).toContain('canary-of-mine')
    })
  })

  describe.each(Object.entries(LEGACY_CLIENTS))('%s', (_name, connectFull) => {
    test('gets the answer of a slow call although its socket was cut', async () => {
      const client = await connectFull(cluster.url)
      onTestFinished(() => client.close())
      const received: number[] = []
      const onprogress = ({ progress }: { progress: number }) => void received.push(progress)
      const calling = client.call('steps', { steps: 20, everyMs: 100 }, { onprogress })
      await expect.poll(() => received.length).toBeGreaterThan(4)
      cluster.balancer.cut()
      expect(structured<{ done: number }>(await calling).done).toBe(20)
      expect(received).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    })
  })

  test('a slow call becomes a stream, and a fast one does not', async () => {
    const headers = await connect(a)
    // A call that takes longer than 300 ms becomes a stream, whatever it does.
    const fast = await within(250, () => read(post(a, where('fast'), headers)))
    expect(fast.headers.get('content-type')).toMatch(/^application\/json/)
    const slow = await start(b, headers, where('slow', 600))
    expect(slow.response.headers.get('content-type')).toBe('text/event-stream')
    const { message } = await slow.until(responseTo('call-slow'))
    expect(structured<Where>(message?.result ?? {}).pid).toBe(cluster.node(1).child.pid)
    expect(await slow.ended).toBe(true)
  })

  test('a running call is resumed on the other nodes, and replayed there to its end', async () => {
    const headers = await connect(a)
    const message = request(
      'tools/call',
      { name: 'steps', arguments: { steps: 8, everyMs: 400 }, _meta: { progressToken: 'p' } },
      'call',
    )
    const first = await start(a, headers, message)
    await first.until(({ message }) => message?.params?.progress === 2)
    first.close()
    const second = await resume(b, headers, first.lastId)
    await second.until(({ message }) => message?.params?.progress === 5)
    second.close()
    const third = await resume(c, headers, second.lastId)
    const answer = await third.until(responseTo('call'))
    expect(structured<{ done: number }>(answer.message?.result ?? {}).done).toBe(8)
    const all = [first, second, third].flatMap(({ messages }) => messages)
    const steps = all.filter(({ method }) => method === 'notifications/progress')
    expect(steps.map(({ params }) => params?.progress)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(await third.ended).toBe(true)
  })

  test('the response of a finished call is replayed at another node, once', async () => {
    const headers = await connect(a)
    const first = await start(a, headers, where('finished', 600))
    first.close()
    await delay(700)
    const second = await resume(c, headers, begin(first))
    await second.until(responseTo('call-finished'))
    expect(await second.ended).toBe(true)
    // Clients treat this as final; after an empty stream they would reconnect without end.
    for (const url of [a, b, c]) {
      expect((await resume(url, headers, second.lastId)).response.status).toBe(405)
    }
  })

  test('no other caller can resume a call', async () => {
    const headers = await connect(a)
    const first = await start(a, headers, where('mine', 600))
    const stranger = await connect(b)
    expect((await resume(b, stranger, first.lastId)).response.status).toBe(405)
    expect((await resume(a, stranger, first.lastId)).response.status).toBe(405)
    await first.until(responseTo('call-mine'))
  })

  test('a cancellation at another node stops the tool; the call cannot be resumed', async () => {
    const headers = await connect(a)
    const stream = await start(a, headers, where('unwanted', 20_000))
    await expect.poll(() => cluster.node(0).output.stdout).toMatch(/"unwanted".*"waiting"/)
    const params = { requestId: 'call-unwanted', reason: 'changed my mind' }
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params }
    expect((await post(b, cancel, headers)).status).toBe(202)
    expect(await stream.ended).toBe(true)
    expect(stream.messages).toEqual([])
    await expect.poll(() => cluster.node(0).output.stdout).toMatch(/"unwanted".*"aborted"/)
    for (const url of [a, b, c]) {
      expect((await resume(url, headers, stream.lastId)).response.status).toBe(405)
    }
  })

  test('another caller cannot cancel a call', async () => {
    const headers = await connect(a)
    const stream = await start(a, headers, where('kept', 1000))
    const cancel = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 'call-kept' },
    }
    expect((await post(b, cancel, await connect(b))).status).toBe(202)
    const { message } = await stream.until(responseTo('call-kept'))
    expect(structured<Where>(message?.result ?? {}).aborted).toBe(false)
  })

  test('an answer counts once, from its own MCP session, wherever it is posted', async () => {
    const headers = await connect(a, { elicitation: {} })
    const params = { name: 'ask', arguments: { kinds: ['form'] } }
    const stream = await start(a, headers, request('tools/call', params, 'call'))
    const question = await stream.until(withMethod('elicitation/create'))
    const reply = (name: string) => ({
      jsonrpc: '2.0',
      id: question.message?.id,
      result: { action: 'accept', content: { name } },
    })
    const stranger = await connect(b, { elicitation: {} })
    for (const url of [a, b, c]) {
      expect((await post(url, reply('stranger'), stranger)).status).toBe(202)
    }
    expect((await post(c, reply('owner'), headers)).status).toBe(202)
    expect((await post(b, reply('too late'), headers)).status).toBe(202)
    const { message } = await stream.until(responseTo('call'))
    const { answers } = structured<{ answers: string[] }>(message?.result ?? {})
    expect(answers).toEqual([JSON.stringify({ action: 'accept', content: { name: 'owner' } })])
  })

  test('a question can be received and answered after its stream was interrupted', async () => {
    const headers = await connect(a, { elicitation: {} })
    const params = { name: 'ask', arguments: { kinds: ['form'] } }
    const first = await start(a, headers, request('tools/call', params, 'call'))
    const primed = first.events[0]?.id
    first.close()
    const second = await resume(b, headers, primed)
    const question = await second.until(withMethod('elicitation/create'))
    const result = { action: 'accept', content: { name: 'late' } }
    await post(c, { jsonrpc: '2.0', id: question.message?.id, result }, headers)
    const { message } = await second.until(responseTo('call'))
    expect(JSON.stringify(message?.result)).toContain('late')
  })

  test('a call whose node is killed soon ends with an error', async () => {
    const headers = await connect(a)
    const stream = await start(c, headers, where('lost', 60_000))
    const killed = performance.now()
    cluster.node(2).child.kill('SIGKILL')
    expect(await stream.ended).toBe(false)
    const second = await resume(a, headers, stream.lastId)
    const { message } = await second.until(responseTo('call-lost'))
    const ms = Math.round(performance.now() - killed)
    expect(message?.error?.message).toMatch(/was lost/)
    expect(await second.ended).toBe(true)
    // Its heartbeat expires after five seconds; its time limit ends much later.
    expect(ms).toBeLessThan(25_000)
    // The session continues at the other nodes.
    const { message: next } = await read(post(b, where('next'), headers))
    expect(structured<Where>(next.result ?? {}).text).toBe('next')
    await cluster.revive(2)
  })

  test('so does one with more events than the log keeps', { timeout: 240_000 }, async () => {
    const headers = await connect(a)
    const steps = { steps: 60_000, everyMs: 1 }
    const params = { name: 'steps', arguments: steps, _meta: { progressToken: 'steps' } }
    const stream = await start(c, headers, request('tools/call', params, 'call-loud'))
    await stream.until(({ message }) => Number(message?.params?.progress) > 1500, 90_000)
    cluster.node(2).child.kill('SIGKILL')
    expect(await stream.ended).toBe(false)
    const second = await resume(a, headers, stream.lastId)
    const { message } = await second.until(responseTo('call-loud'))
    expect(message?.error?.message).toMatch(/was lost/)
    expect(await second.ended).toBe(true)
    await cluster.revive(2)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
