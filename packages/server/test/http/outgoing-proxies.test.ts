/** A whole server behind an outgoing proxy: sign-in, keys, introspection, documents and the API. */

import { expect, onTestFinished, test } from 'vitest'
import { createDocumentFetch } from '../../src/auth/document-fetch.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createOutgoing } from '../../src/upstream/outgoing.ts'
import { startApp } from '../support/app.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { startExternalIssuer } from '../support/external-issuer.ts'
import { startHttpsServer } from '../support/https-server.ts'
import { login, submitCode } from '../support/sign-in.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'
import { startProvider } from '../upstream/fake-provider.ts'

async function startProxy() {
  const proxy = await startConnectProxy()
  onTestFinished(() => proxy.close())
  const address = `http://proxy-user:hidden-word@${proxy.host}`
  return { ...proxy, env: { HTTP_PROXY: address, https_proxy: address } }
}

async function start(env: Record<string, string>) {
  const app = await startApp({ env: { RATE_LIMIT: 'off', ...env } })
  onTestFinished(() => app.stop())
  return app
}

const hostOf = (address: string) => new URL(address).host

test('the identity provider is reached through it', async () => {
  const provider = await startProvider()
  const proxy = await startProxy()
  const app = await start({
    UPSTREAM_ISSUER: provider.origin,
    UPSTREAM_CLIENT_ID: 'client-1',
    UPSTREAM_API_URL: 'http://127.0.0.1:1',
    ...proxy.env,
  })
  const { url, code } = await login(app.url)
  expect((await submitCode(url, code)).status).toBe(303)
  expect(new Set(proxy.tunnels)).toEqual(new Set([hostOf(provider.origin)]))
  expect(proxy.authorizations[0]).toBe(`Basic ${btoa('proxy-user:hidden-word')}`)
  expect(app.lines.join('\n')).not.toMatch(/hidden-word|cHJveHk/)
})

test('hosts in NO_PROXY are requested directly', async () => {
  const provider = await startProvider()
  const proxy = await startProxy()
  await start({
    UPSTREAM_ISSUER: provider.origin,
    UPSTREAM_CLIENT_ID: 'client-1',
    UPSTREAM_API_URL: 'http://127.0.0.1:1',
    ...proxy.env,
    no_proxy: '127.0.0.1',
  })
  await expect.poll(() => provider.count('/.well-known')).toBe(1)
  expect(proxy.tunnels).toEqual([])
})

test('keys and introspection of an external issuer are reached through it', async () => {
  const issuer = await startExternalIssuer()
  onTestFinished(() => issuer.stop())
  issuer.metadataIs({ introspection_endpoint: `${issuer.url}/introspect` })
  issuer.answerAt('/introspect', (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":false}'),
  )
  const proxy = await startProxy()
  const app = await start({
    OAUTH_ISSUER: issuer.url,
    OAUTH_INTROSPECTION: 'opaque',
    OAUTH_INTROSPECTION_CLIENT_ID: 'bank-server',
    OAUTH_INTROSPECTION_CLIENT_SECRET: 'secret-of-introspection',
    ...proxy.env,
  })
  const call = async (token: string) =>
    read(
      postModern(
        app.url,
        'tools/call',
        { name: 'service', arguments: {} },
        { headers: withToken(token) },
      ),
    )
  await call('an-opaque-token')
  await call(await issuer.token(`${app.url}/mcp`))
  expect(issuer.requestedPaths.filter((each) => each.includes('/introspect'))).toHaveLength(1)
  expect(new Set(proxy.tunnels)).toEqual(new Set([hostOf(issuer.url)]))
})

test('the demo, which is this server, is not requested through it', async () => {
  const proxy = await startProxy()
  const app = await start(proxy.env)
  const { url, code } = await login(app.url)
  expect((await submitCode(url, code)).status).toBe(303)
  expect(proxy.tunnels).toEqual([])
})

test('metadata documents are fetched through it, from the address that was checked', async () => {
  const server = await startHttpsServer((res, { url, headers }) =>
    res.end(JSON.stringify({ client_id: `https://${headers.host}${url}` })),
  )
  onTestFinished(() => server.close())
  const proxy = await startProxy()
  const answers: Record<string, string> = {
    'a.example.com': '127.0.0.1',
    'b.example.com': '10.0.0.1',
  }
  const resolve = async (host: string) => [{ address: answers[host] ?? '', family: 4 }]
  const { proxyFor } = createOutgoing({ httpsProxy: proxy.env.https_proxy })
  const documents = createDocumentFetch(
    { store: createMemoryStore(), now: Date.now, resolve, proxyFor },
    { allowLoopback: true, ca: server.ca },
  )
  const good = `https://a.example.com:${server.port}/client.json`
  await documents.allowFetch({}, good)
  expect((await documents.fetch(good)).status).toBe(200)
  expect(proxy.tunnels).toEqual([`127.0.0.1:${server.port}`])
  const bad = `https://b.example.com:${server.port}/client.json`
  await documents.allowFetch({}, bad)
  await expect(documents.fetch(bad)).rejects.toThrow(/public internet/)
  expect(proxy.tunnels).toHaveLength(1)
})
