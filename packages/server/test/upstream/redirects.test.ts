/**
 * Redirects: followed only with permission, without credentials, and never to private addresses.
 */

import { Agent } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApiClient } from '../../src/upstream/api-client.ts'
import { createGuardedAgent } from '../../src/upstream/guarded-agent.ts'
import { startHttpsServer } from '../support/https-server.ts'
import { failure, setUp, tokens } from './api-client-setup.ts'
import { type Answer, inTurn, json, startServer } from './misbehaving-server.ts'

const to =
  (location: string, status = 302): Answer =>
  (res) =>
    res.writeHead(status, { location }).end()

async function storage(answer: Answer) {
  const server = await startServer(answer)
  onTestFinished(() => server.close())
  return server
}

describe('a redirect to an origin that the tool names', () => {
  test('is followed without token, key, cookies and headers of the tool', async () => {
    const files = await storage((res) =>
      res.writeHead(200, { 'content-type': 'image/png' }).end('png'),
    )
    const { api, server } = await setUp(to(`${files.origin}/f?sig=1`), { apiKey: 'secret-api-key' })
    const options = { as: 'bytes', follow: [files.origin], headers: { 'x-own': 'secret' } } as const
    const { headers, body } = await api.request('GET', '/a', {}, options)
    expect(Buffer.from(body).toString()).toBe('png')
    expect(headers['content-type']).toBe('image/png')
    expect(server.seen).toHaveLength(1)
    expect(Object.keys(files.seen[0]?.headers ?? {}).sort()).toEqual([
      ...['accept', 'accept-encoding', 'connection', 'host'],
    ])
  })

  test('after a POST is followed by GET for 303 only', async () => {
    const files = await storage(json({ done: 1 }))
    const see = to(`${files.origin}/f`, 303)
    const { api } = await setUp(inTurn(see, to(`${files.origin}/f`, 307)))
    const options = { body: { secret: 1 }, follow: [files.origin] }
    expect(await api.post('/a', {}, options)).toEqual({ done: 1 })
    expect(files.seen[0]).toMatchObject({ method: 'GET', body: '' })
    expect(await failure(api.post('/a', {}, options))).toMatchObject({ status: 307 })
    expect(files.seen).toHaveLength(1)
  })

  test('that answers 401 does not invalidate the token', async () => {
    const files = await storage(json({}, 401))
    const { client } = await setUp(to(`${files.origin}/f`))
    const source = tokens('old-token', 'new-token')
    const error = await failure(client.forCaller(source).get('/a', {}, { follow: [files.origin] }))
    expect(error).toMatchObject({ code: 'upstream_rejected', status: 401 })
    expect(source.requested).toHaveLength(1)
  })

  test('is refused if it is the second to another origin', async () => {
    const other = await storage(json({}))
    const files = await storage(to(`${other.origin}/x`))
    const { api } = await setUp(to(`${files.origin}/f`))
    const error = await failure(api.get('/a', {}, { follow: [files.origin] }))
    expect(error.reason).toBe('redirect to an origin that is not named')
    expect(other.seen).toHaveLength(0)
  })

  test('ends in a loop, and after five', async () => {
    const loop = await storage((res, req) => to(req.url === '/1' ? '/2' : '/1')(res, req, 0))
    const chain = await storage((res, req, index) => to(`/${index}`)(res, req, index))
    const { api } = await setUp(inTurn(to(`${loop.origin}/1`), to(`${chain.origin}/start`)))
    const follow = [loop.origin, chain.origin]
    expect((await failure(api.get('/a', {}, { follow }))).reason).toBe('redirect loop')
    expect((await failure(api.get('/a', {}, { follow }))).reason).toBe('too many redirects')
    expect(chain.seen.length).toBeLessThanOrEqual(5)
  })
})

describe('a redirect to anywhere', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1:1/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[fd00::1]/',
    'http://0.0.0.0/',
    'http://localhost:1/',
    'file:///etc/passwd',
    'ftp://example.com/a',
    'data:,x',
    'http://user:secret@example.com/',
    'http://',
    '',
  ])('%j is refused, and not retried', async (location) => {
    const { api, server } = await setUp(to(location))
    const error = await failure(api.get('/a', {}, { follow: true, as: 'bytes' } as never))
    expect(error.code).toBe('upstream_bad_response')
    expect(JSON.stringify([error, error.message])).not.toMatch(/passwd|secret|169/)
    expect(server.seen).toHaveLength(1)
  })

  /** An https API, and guarded connections that treat loopback as public for some names. */
  async function encrypted(answer: Answer) {
    const server = await startHttpsServer(answer)
    onTestFinished(() => server.close())
    const agent = new Agent({ connect: { ca: server.ca } })
    const resolve = async (name: string) => [
      { address: name.startsWith('public') ? '127.0.0.1' : '10.0.0.1', family: 4 },
    ]
    const options = { resolve, allowLoopback: true, ca: server.ca, timeoutMs: 3000 }
    const client = createApiClient(
      { baseUrl: server.origin, userAgent: 'test/1' },
      {
        ...{ now: Date.now, random: Math.random, sleep: async () => undefined },
        dispatcher: agent,
        publicDispatcher: createGuardedAgent(options),
      },
    )
    onTestFinished(() => agent.destroy())
    return { server, api: client.forCaller(tokens('secret-token')) }
  }

  test('public is followed over https, with its signature and none of our headers', async () => {
    const { api, server } = await encrypted((res, req, index) =>
      index === 0
        ? to(`https://public.example.com:${server.port}/f?X-Signature=abc`)(res, req, 0)
        : json({ url: req.url, token: req.headers.authorization ?? 'none' })(res, req, 0),
    )
    expect(await api.get('/a', {}, { follow: true })).toEqual({
      url: '/f?X-Signature=abc',
      token: 'none',
    })
  })

  test('private by name is refused', async () => {
    const { api, server } = await encrypted((res, req) =>
      to(`https://private.example.com:${server.port}/f`)(res, req, 0),
    )
    const error = await failure(api.get('/a', {}, { follow: true }))
    expect(error).toMatchObject({ code: 'upstream_bad_response', reason: 'ERR_NOT_PUBLIC' })
    expect(server.seen).toHaveLength(1)
  })

  test('from https to http is refused, named or not', async () => {
    const files = await storage(json({}))
    const { api } = await encrypted((res, req) => to(`${files.origin}/f`)(res, req, 0))
    for (const follow of [true, [files.origin]]) {
      const error = await failure(api.get('/a', {}, { follow }))
      expect(error.reason).toBe('redirect to another scheme')
    }
    expect(files.seen).toHaveLength(0)
  })
})
