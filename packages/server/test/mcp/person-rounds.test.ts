/**
 * State of reads and prompts between rounds: a session's handle and the state of requests, which
 * is bound to caller, resource and URI. On two nodes, each of which continues the rounds of the other.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { postModern, read } from '../support/wire.ts'
import { contentsOf, FORMS, PERSON_CATALOG, SESSION, signedIn, textOf } from './person-catalog.ts'

let directory: string
beforeAll(() => {
  directory = writeCatalog(PERSON_CATALOG)
})

describe('in 2026-07-28, by hand', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp({ catalogDirectory: directory })
  })
  afterAll(() => app.stop())

  const get = async (uri: string, params: object = {}, meta: object = {}) =>
    (
      await read(
        postModern(app.url, 'resources/read', { uri, ...params }, { capabilities: FORMS, meta }),
      )
    ).message

  test('a handle in `_meta` names the session; a result names a new one', async () => {
    const first = await get('bank://remembers')
    const handle = (first.result?._meta as Record<string, string> | undefined)?.[SESSION]
    expect(handle).toMatch(/^ses_/)
    expect(contentsOf(await get('bank://remembers', {}, { [SESSION]: handle }))).toBe('2')
    expect(contentsOf(await get('bank://remembers'))).toBe('1')
    const unknown = await get('bank://remembers', {}, { [SESSION]: `ses_${'a'.repeat(43)}` })
    expect(unknown.error).toMatchObject({ data: { code: 'session_not_found' } })
    const wrong = await get('bank://remembers', {}, { [SESSION]: 7 })
    expect(wrong.error).toMatchObject({ code: -32602, data: { code: 'invalid_arguments' } })
  })

  test('a handle reads as the user who signed in, and as no other', async () => {
    const ada = await signedIn(app.url, 'ada')
    const grace = await signedIn(app.url, 'grace')
    const owner = async (handle: string) =>
      contentsOf(await get('bank://accounts/me', {}, { [SESSION]: handle }))
    expect(await owner(ada)).toContain('Ada Lovelace')
    expect(await owner(grace)).toContain('Grace Hopper')
  })

  test("a user's resource is never cached publicly, whatever it declares", async () => {
    const session = await signedIn(app.url, 'ada')
    const { result } = await get('bank://accounts/me', {}, { [SESSION]: session })
    expect(result).toMatchObject({ ttlMs: 1000, cacheScope: 'private' })
  })

  test('the state of a request is bound to its resource and URI, and valid once', async () => {
    const asked = await get('bank://asks/1')
    expect(asked.result).toMatchObject({ resultType: 'input_required' })
    const { requestState } = asked.result as { requestState: string }
    const inputResponses = { why: { action: 'accept', content: { text: 'because' } } }
    const answer = { requestState, inputResponses }
    const edited = `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}`
    for (const [uri, params] of [
      ['bank://asks/2', answer],
      ['bank://who', answer],
      ['bank://asks/1', { ...answer, requestState: edited }],
      ['bank://asks/1', { ...answer, requestState: 'forged' }],
    ] as const) {
      const { error } = await get(uri, params)
      expect(error ?? uri).toMatchObject({ code: -32602 })
    }
    const asPrompt = await read(
      postModern(
        app.url,
        'prompts/get',
        { name: 'asks', arguments: { topic: '1' }, ...answer },
        { capabilities: FORMS },
      ),
    )
    expect(asPrompt.message.error?.code).toBe(-32602)
    expect(contentsOf(await get('bank://asks/1', answer))).toBe('1: {"text":"because"}')
    expect((await get('bank://asks/1', answer)).error?.code).toBe(-32602)
  })
})

describeRedis('plain', 'on two nodes', () => {
  let nodes: readonly [TestApp, TestApp]
  let stop: () => Promise<void>
  beforeAll(async () => {
    const redis = await startRedis('plain')
    const port = String(await freePort())
    const env = { REDIS_URL: redis.url, PUBLIC_URL: `http://localhost:${port}` }
    const start = (own = {}) => startApp({ env: { ...env, ...own }, catalogDirectory: directory })
    nodes = await Promise.all([start({ MASK_MCP_PORT: port }), start()])
    stop = async () => {
      await Promise.all(nodes.map((node) => node.stop()))
      await redis.stop()
    }
  })
  afterAll(() => stop())

  test('a user who signs in at one node reads at the other', async () => {
    const session = await signedIn(nodes[0].localUrl, 'ada')
    const meta = { [SESSION]: session }
    const { message } = await read(
      postModern(nodes[1].localUrl, 'resources/read', { uri: 'bank://accounts/me' }, { meta }),
    )
    expect(contentsOf(message)).toContain('Ada Lovelace')
  })

  test.each([
    ['a resource', 'resources/read', { uri: 'bank://asks/7' }],
    ['a prompt', 'prompts/get', { name: 'asks', arguments: { topic: '7' } }],
  ])('%s requests input at one node and continues at the other', async (_what, method, params) => {
    const options = { capabilities: FORMS }
    const asked = await read(postModern(nodes[0].localUrl, method, params, options))
    const { requestState } = asked.message.result as { requestState: string }
    const inputResponses = { why: { action: 'accept', content: { text: 'because' } } }
    const again = { ...params, requestState, inputResponses }
    const { message } = await read(postModern(nodes[1].localUrl, method, again, options))
    const text = method === 'prompts/get' ? textOf(message) : contentsOf(message)
    expect(text).toBe('7: {"text":"because"}')
    const { message: replayed } = await read(postModern(nodes[0].localUrl, method, again, options))
    expect(replayed.error?.code).toBe(-32602)
  })
})
