/** MCP sessions of the 2025 era and rounds of the 2026 era, distributed over three nodes. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { connectClient, ERAS, structured } from '../support/clients.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'
import {
  faultsIn,
  startThreeNodes,
  type ThreeNodes,
  useThreeNodes,
} from '../support/three-nodes.ts'
import {
  connect,
  envelope,
  type Message,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const CLIENTS = 200

const call = (name: string, input: object = {}, id: string | number = 1) =>
  request('tools/call', { name, arguments: input }, id)

describeRedis('json', 'three nodes on a Redis with JSON', () => {
  test('share an MCP session', async () => {
    const cluster = await startThreeNodes({ kind: 'json' })
    onTestFinished(() => cluster.stop())
    const [a, b, c] = cluster.urls
    const headers = await connect(a)
    await read(post(b, call('remember', { text: 'kept' }), headers))
    const { message } = await read(post(c, call('remember'), headers))
    expect(structured<{ before: string }>(message.result ?? {}).before).toBe('kept')
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})

describeRedis('plain', 'MCP sessions on three nodes', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  test('an MCP session is opened on one node, used on the next and ended on the third', async () => {
    const headers = await connect(a)
    const { message } = await read(post(b, call('where', { text: 'x' }), headers))
    const { pid } = structured<{ pid: number }>(message.result ?? {})
    expect(cluster.indexOf(pid)).toBe(1)
    const end = (url: string) => fetch(`${url}/mcp`, { method: 'DELETE', headers })
    expect((await end(c)).status).toBe(204)
    for (const url of [a, b, c]) {
      expect((await read(post(url, call('where'), headers))).status).toBe(404)
      expect((await end(url)).status).toBe(404)
    }
  })

  test('a log level set on one node is honoured by the others', async () => {
    const headers = await connect(a)
    const levels = async (url: string) => {
      const { messages } = await read(post(url, call('talk'), headers))
      return messages.flatMap(({ method, params }) =>
        method === 'notifications/message' ? params?.level : [],
      )
    }
    for (const [level, expected] of [
      ['error', ['error']],
      ['info', ['info', 'error']],
    ] as const) {
      await read(post(a, request('logging/setLevel', { level }), headers))
      for (const url of [b, c, a]) expect(await levels(url)).toEqual(expected)
    }
  })

  test('the load balancer sends consecutive requests to different nodes', async () => {
    await expect.poll(() => cluster.balancer.ready).toEqual([true, true, true])
    const before = [...cluster.balancer.served]
    const headers = await connect(cluster.url)
    const pids: number[] = []
    for (let turn = 0; turn < 9; turn += 1) {
      const { message } = await read(post(cluster.url, call('where'), headers))
      pids.push(structured<{ pid: number }>(message.result ?? {}).pid)
    }
    for (const [turn, pid] of pids.entries()) expect(pid).not.toBe(pids[turn + 1])
    const served = cluster.balancer.served.map((count, index) => count - (before[index] ?? 0))
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1)
  })

  test('many clients with the same request ids get only their own answers', async () => {
    const faults: string[] = []
    const old = async (number: number) => {
      const canary = `old-${number}`
      const headers = await connect(cluster.url)
      for (const [id, before] of ['', canary, canary].entries()) {
        const { message } = await read(
          post(cluster.url, call('remember', { text: canary }, id), headers),
        )
        const answer = structured<{ before?: string }>(message.result ?? {}) ?? {}
        if (message.id !== id || answer.before !== before) faults.push(JSON.stringify(message))
      }
    }
    const modern = async (number: number) => {
      const canary = `modern-${number}`
      let session: string | undefined
      for (const [id, before] of ['', canary, canary].entries()) {
        const params = { name: 'remember', arguments: { text: canary, session } }
        const { message } = await read(postModern(cluster.url, 'tools/call', params, { id }))
        const answer = structured<{ before?: string; session?: string }>(message.result ?? {}) ?? {}
        if (message.id !== id || answer.before !== before) faults.push(JSON.stringify(message))
        session ??= answer.session
      }
    }
    await Promise.all(
      Array.from({ length: CLIENTS }, (_, number) => (number % 2 ? old(number) : modern(number))),
    )
    expect(faults).toEqual([])
  })

  test('many clients with requests from the server get only their own', async () => {
    const kinds = Object.values(FULL_CLIENTS)
    const said = await Promise.all(
      Array.from({ length: 30 }, async (_, number) => {
        const canary = `canary-${number}-`
        const client = await kinds[number % kinds.length]?.(cluster.url, canary)
        const result = await client?.call('ask', { kinds: ['form', 'sample'], canary })
        await client?.close()
        const { answers } = structured<{ answers: string[] }>(result ?? {})
        return answers.filter((answer) => answer.includes(canary)).length
      }),
    )
    expect(said).toEqual(said.map(() => 2))
  })

  test.each(ERAS)('signing in continues the same call, over all nodes (%s)', async (era) => {
    const { client } = await connectClient(cluster.url, era, {
      async onUrl(url, message) {
        await signInAs(newBrowser(), { url, code: codeIn(message) })
        return 'accept'
      },
    })
    const result = await client.callTool({ name: 'service', arguments: {} })
    expect(structured<{ owner: string }>(result).owner).toBe('Ada Lovelace')
    await client.close()
  })

  describe('rounds of the 2026 era', () => {
    const options = { capabilities: { elicitation: { form: {} } } }
    const params = { name: 'ask', arguments: { kinds: ['form', 'form'] } }

    const round = async (url: string, result?: Message['result'], name = 'x', more = {}) => {
      const [question = ''] = Object.keys((result?.inputRequests ?? {}) as object)
      const answered = result && {
        requestState: result.requestState,
        inputResponses: { [question]: { action: 'accept', content: { name } } },
      }
      return read(postModern(url, 'tools/call', { ...params, ...answered, ...more }, options))
    }

    test('each run on another node', async () => {
      const first = await round(a)
      const second = await round(b, first.message.result, 'one')
      const third = await round(c, second.message.result, 'two')
      const { answers } = structured<{ answers: string[] }>(third.message.result ?? {})
      expect(answers.map((answer) => JSON.parse(answer).content.name)).toEqual(['one', 'two'])
    })

    test('refuse a state that was edited, used, or issued for something else', async () => {
      const { message } = await round(a)
      const { result } = message
      const state = String(result?.requestState)
      const edited = `${state.slice(0, -2)}${state.endsWith('AA') ? 'BB' : 'AA'}`
      const other = { arguments: { kinds: ['sample'] } }
      for (const more of [{ requestState: edited }, other]) {
        expect((await round(b, result, 'x', more)).message.error?.code).toBe(-32602)
      }
      expect((await round(c, result)).message.result).toBeDefined()
      for (const url of [a, b, c]) {
        expect((await round(url, result)).message.error?.code).toBe(-32602)
      }
    })
  })

  test('a request of the 2026 era is not treated as one of an MCP session', async () => {
    const headers = await connect(a)
    const stray = request('tools/call', { ...call('where').params, _meta: envelope() })
    const { message } = await read(
      post(b, stray, {
        ...headers,
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'where',
      }),
    )
    expect(message.result).toMatchObject({ structuredContent: { text: '' } })
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
