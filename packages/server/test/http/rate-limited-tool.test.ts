/** A tool with a rate limit, over HTTP. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { errorFacts } from '../support/clients.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { CLUSTER_CATALOG } from '../support/three-nodes.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

const SPARING = { name: 'sparing', arguments: {} }
/** One call more than its limit. */
const AT_ONCE = [0, 1, 2, 3]

let app: TestApp
const start = (env: Readonly<Record<string, string>>) =>
  startApp({ catalogDirectory: CLUSTER_CATALOG, env: { TRUSTED_PROXIES: '1', ...env } })

describe('a tool that may be called three times', () => {
  beforeAll(async () => {
    app = await start({})
  })
  afterAll(() => app.stop())

  it('is a 429 for direct calls, with the time to retry', async () => {
    const caller = await authorizeDirectCaller(app.url)
    const answers = await Promise.all(AT_ONCE.map(() => caller.call('tools/call', SPARING)))
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused).toHaveLength(1)
    const [{ status, type, headers, body } = expect.fail()] = refused
    expect([status, type]).toEqual([429, 'application/problem+json'])
    expect(body).toMatchObject({ code: 'too_many_requests', isError: true })
    expect(['1', '2', '3']).toContain(headers.get('retry-after'))
  })

  it('counts each session separately, and callers without one by address', async () => {
    const [one, other] = [
      await authorizeDirectCaller(app.url),
      await authorizeDirectCaller(app.url),
    ]
    const at = (address: string) => ({ headers: { 'x-forwarded-for': address } })
    const call = async (address: string) => {
      const { message } = await read(postModern(app.url, 'tools/call', SPARING, at(address)))
      return errorFacts(message.result ?? {}).code
    }
    const codes = await Promise.all([
      ...AT_ONCE.map(() => call('192.0.2.1')),
      call('192.0.2.2'),
      ...[one, other].map(async (each) => (await each.call('tools/call', SPARING)).body.code),
    ])
    expect(codes.slice(0, 4).toSorted()).toEqual(['too_many_requests', ...Array(3)])
    expect(codes.slice(4)).toEqual([undefined, undefined, undefined])
  })

  it('cannot be called more often from one address by new MCP sessions', async () => {
    const here = { 'x-forwarded-for': '192.0.2.3' }
    const call = async () => {
      const { headers } = await read(post(app.url, INITIALIZE, here))
      const connection = { ...here, 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
      const { message } = await read(post(app.url, request('tools/call', SPARING), connection))
      return errorFacts(message.result ?? {}).code
    }
    const codes = await Promise.all(AT_ONCE.map(call))
    expect(codes.toSorted()).toEqual(['too_many_requests', ...Array(3)])
  })
})

it('has no limit with RATE_LIMIT=off', async () => {
  app = await start({ RATE_LIMIT: 'off' })
  const caller = await authorizeDirectCaller(app.url)
  const answers = await Promise.all(AT_ONCE.map(() => caller.call('tools/call', SPARING)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  await app.stop()
})
