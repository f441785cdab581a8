/** Tool calls with an invalid upstream refresh token, on two nodes. */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startBalancer } from '../../../../scripts/cluster/balancer.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { errorCode, structured, textOf } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { type PlainProvider, startPlainProvider } from '../support/plain-provider.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { callWith, login, newBrowser, sessionState } from '../support/sign-in.ts'
import { type Answer, json } from '../upstream/misbehaving-server.ts'

const html: Answer = (res) =>
  res.writeHead(503, { 'content-type': 'text/html' }).end('<h1>503</h1>')
const empty: Answer = (res) => res.writeHead(400).end()

describeRedis('plain', 'on two nodes', () => {
  let redis: RedisServer
  let provider: PlainProvider
  beforeAll(async () => {
    redis = await startRedis('plain')
  })
  afterAll(() => redis.stop())

  /** A server of two nodes, with round-robin. */
  async function startPair() {
    provider = await startPlainProvider()
    const ports = [await freePort(), await freePort()]
    const { url, close } = await startBalancer({ nodes: ports })
    const shared = { REDIS_URL: redis.url, PUBLIC_URL: url, RATE_LIMIT: 'off', ...provider.env }
    const nodes: TestApp[] = await Promise.all(
      ports.map((port) => startApp({ env: { ...shared, MASK_MCP_PORT: String(port) } })),
    )
    onTestFinished(async () => {
      await close()
      await Promise.all(nodes.map((node) => node.stop()))
    })
    return url
  }

  async function signIn(url: string, link: { readonly url: string; readonly code: string }) {
    const page = await newBrowser().open(link.url, { code: link.code })
    expect(page.text).toContain('Login successful')
    return url
  }

  /** Signs in; returns the session handle. */
  async function signedIn(url: string): Promise<string> {
    const link = await login(url)
    await signIn(url, link)
    return link.session
  }

  test.each([
    ['GitHub', json({ error: 'bad_refresh_token' })],
    ['Slack', json({ ok: false, error: 'invalid_refresh_token' })],
    ['a 400 without a body', empty],
    ['the specification', json({ error: 'invalid_grant' }, 400)],
  ] as [string, Answer][])(
    'an invalid refresh token, as %s reports it, requires a sign-in and is sent once',
    async (_who, answer) => {
      const url = await startPair()
      const session = await signedIn(url)
      provider.refreshWith(answer)
      const calls = Array.from({ length: 10 }, () => callWith(url, session, 'service'))
      for (const result of await Promise.all(calls)) {
        expect(errorCode(result)).toBe('login_required')
      }
      expect(errorCode(await callWith(url, session, 'service'))).toBe('login_required')
      expect(provider.refreshes()).toBe(1)
      expect(await sessionState(url, session)).toBe('anonymous')
      provider.refreshWith(json({ access_token: 'fresh', token_type: 'bearer' }))
      const link = structured<{ url: string; code: string }>(await callWith(url, session, 'login'))
      await signIn(url, link)
      expect(structured(await callWith(url, session, 'service'))).toMatchObject({ id: 'me' })
    },
  )

  test.each([
    ['is unavailable', html, 'does not answer'],
    ['refuses this server', json({ error: 'invalid_client' }, 401), 'does not accept this server'],
  ] as [string, Answer, string][])(
    'a provider that %s gets few requests, and nobody is signed out',
    async (_what, answer, words) => {
      const url = await startPair()
      const session = await signedIn(url)
      provider.refreshWith(answer)
      for (let n = 0; n < 12; n += 1) {
        const result = await callWith(url, session, 'service')
        expect(errorCode(result)).toBe('upstream_error')
        expect(textOf(result)).toContain(words)
      }
      expect(provider.refreshes()).toBeLessThan(6)
      expect(await sessionState(url, session)).toBe('authenticated')
      provider.refreshWith(json({ access_token: 'fresh', token_type: 'bearer' }))
      await expect
        .poll(async () => structured(await callWith(url, session, 'service')))
        .toMatchObject({ id: 'me' })
    },
  )
})
