/** Outgoing proxies: which requests use them, with which credentials, and failures. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { createApiClient } from '../../src/upstream/api-client.ts'
import { createOutgoing, type OutgoingOptions } from '../../src/upstream/outgoing.ts'
import { type ConnectProxyOptions, startConnectProxy } from '../support/connect-proxy.ts'
import { startHttpsServer } from '../support/https-server.ts'
import { failure, tokens } from './api-client-setup.ts'
import { json, startServer } from './misbehaving-server.ts'

async function startProxy(options?: ConnectProxyOptions) {
  const proxy = await startConnectProxy(options)
  onTestFinished(() => proxy.close())
  return proxy
}

function clientOf(baseUrl: string, options: OutgoingOptions, ca?: string) {
  const outgoing = createOutgoing(options)
  const client = createApiClient(
    { baseUrl, userAgent: 'test/1', timeoutMs: 5000 },
    {
      now: Date.now,
      random: Math.random,
      sleep: async () => undefined,
      outgoing: {
        ...outgoing,
        openDispatcher: (given) =>
          outgoing.openDispatcher({ ...given, ...(ca !== undefined && { connect: { ca } }) }),
      },
    },
  )
  onTestFinished(() => client.close())
  return client.forCaller(tokens('secret-token'))
}

describe('a proxy', () => {
  test('forwards requests to an https API, without its own credentials', async () => {
    const server = await startHttpsServer(json({ ok: 1 }))
    onTestFinished(() => server.close())
    const names = { 'api.example.com:443': `127.0.0.1:${server.port}` }
    const proxy = await startProxy({ names })
    const httpsProxy = `http://proxy-user:p%40ss@${proxy.host}`
    const api = clientOf('https://api.example.com/v1', { httpsProxy }, server.ca)
    expect(await api.get('/a')).toEqual({ ok: 1 })
    expect(proxy.tunnels).toEqual(['api.example.com:443'])
    expect(proxy.authorizations).toEqual([`Basic ${btoa('proxy-user:p@ss')}`])
    expect(server.seen[0]?.headers).toMatchObject({
      host: 'api.example.com',
      authorization: 'Bearer secret-token',
    })
    expect(server.seen[0]?.headers['proxy-authorization']).toBeUndefined()
  })

  test('forwards requests to an http API', async () => {
    const server = await startServer(json({ ok: 1 }))
    onTestFinished(() => server.close())
    const proxy = await startProxy({ names: { 'api.internal:80': new URL(server.origin).host } })
    const api = clientOf('http://api.internal', { httpProxy: `http://${proxy.host}` })
    expect(await api.get('/a')).toEqual({ ok: 1 })
    expect(proxy.tunnels).toEqual(['api.internal:80'])
  })

  test('that refuses the credentials is named in the reason, and not shown to callers', async () => {
    const proxy = await startProxy({ wants: 'Basic right' })
    const httpsProxy = `http://secret-user:secret-password@${proxy.host}`
    const api = clientOf('https://api.example.com', { httpsProxy })
    const error = await failure(api.post('/a'))
    expect(error).toMatchObject({ code: 'upstream_unreachable', reason: 'proxy 407' })
    expect(JSON.stringify([error, error.message, error.stack])).not.toContain('secret')
    expect(proxy.tunnels).toHaveLength(1)
  })

  test('that is unavailable is upstream_unreachable', async () => {
    const proxy = await startProxy()
    await proxy.close()
    const api = clientOf('https://api.example.com', { httpsProxy: `http://${proxy.host}` })
    expect(await failure(api.post('/a'))).toMatchObject({
      code: 'upstream_unreachable',
      reason: 'ECONNREFUSED',
    })
  })
})

describe('the proxy of an address', () => {
  const both = { httpProxy: 'http://plain:1', httpsProxy: 'http://tls:2' }

  test.each<[string, OutgoingOptions, string | undefined]>([
    ['https://a.example', both, 'http://tls:2'],
    ['http://a.example', both, 'http://plain:1'],
    ['https://a.example', { httpProxy: 'http://plain:1' }, undefined],
    ['https://a.example', { ...both, noProxy: ['a.example'] }, undefined],
    ['https://A.Example.', { ...both, noProxy: ['a.example'] }, undefined],
    ['https://b.a.example', { ...both, noProxy: ['.a.example'] }, undefined],
    ['https://b.a.example', { ...both, noProxy: ['*.a.example'] }, undefined],
    ['https://ba.example', { ...both, noProxy: ['a.example'] }, 'http://tls:2'],
    ['https://a.example:8443', { ...both, noProxy: ['a.example:443'] }, 'http://tls:2'],
    ['https://a.example', { ...both, noProxy: ['a.example:443'] }, undefined],
    ['https://10.1.2.3', { ...both, noProxy: ['10.0.0.0/8'] }, undefined],
    ['https://11.1.2.3', { ...both, noProxy: ['10.0.0.0/8'] }, 'http://tls:2'],
    ['https://[::1]', { ...both, noProxy: ['::1'] }, undefined],
    ['https://[::1]:8443', { ...both, noProxy: ['[::1]:8443'] }, undefined],
    ['https://anything.example', { ...both, noProxy: ['*'] }, undefined],
  ])('%s with %j is %s', (address, options, origin) => {
    expect(createOutgoing(options).proxyFor(new URL(address))?.origin).toBe(origin)
  })
})
