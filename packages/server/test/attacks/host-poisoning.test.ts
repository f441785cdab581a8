/** Host header poisoning of metadata, sign-in and authorization: forged hosts have no effect. */

import { request as send } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import type { OAuthClient } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { beginAuthorization, sendWith } from '../support/raw-browser.ts'
import { describeRedis } from '../support/redis-suite.ts'
import type { SignInLink } from '../support/sign-in.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

type Fields = Readonly<Record<string, string>>

/** Headers that some servers trust. */
const FORWARDED: readonly Fields[] = [
  { 'x-forwarded-host': 'evil.example' },
  { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
  { 'x-forwarded-host': 'localhost, evil.example', 'x-forwarded-for': '192.0.2.1' },
  { 'x-forwarded-proto': 'javascript' },
  { 'x-forwarded-port': '1', 'x-forwarded-server': 'evil.example' },
  { 'x-forwarded-prefix': '//evil.example', 'x-forwarded-path': '//evil.example' },
  { forwarded: 'for=192.0.2.1;host=evil.example;proto=https' },
  {
    'x-host': 'evil.example',
    'x-original-host': 'evil.example',
    'x-http-host-override': 'evil.example',
  },
  { 'x-original-url': 'https://evil.example/', 'x-rewrite-url': 'https://evil.example/' },
  { 'x-real-ip': '127.0.0.1', via: '1.1 evil.example', 'cf-connecting-ip': '127.0.0.1' },
]

const EVIL_HOSTS = [
  'evil.example',
  'localhost.evil.example',
  'evil.example:80',
  'localhost@evil.example',
]

const METADATA = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-protected-resource/http',
  '/jwks',
]

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startOAuthNodes()
    client = await cluster.client()
  })
  afterAll(() => cluster?.stop())

  /** Sends any Host, which `fetch` does not allow. */
  function withHost(url: string, host: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = send(url, { headers: { host } }, async (response) => {
        let text = JSON.stringify(response.headers)
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        resolve({ status: response.statusCode ?? 0, text })
      })
      sent.on('error', reject).end()
    })
  }

  describe.each(FORWARDED)('%o', (headers) => {
    test('changes no metadata', async () => {
      for (const path of METADATA) {
        const [plain, ...forged] = await Promise.all([
          read(fetch(cluster.urls[0] + path)),
          ...cluster.urls.map((url) => read(fetch(url + path, { headers }))),
        ])
        for (const { status, text } of forged) {
          expect({ status, text }).toEqual({ status: 200, text: plain.text })
        }
      }
    })

    test('changes no challenge and no sign-in link', async () => {
      const refused = await read(fetch(`${cluster.urls[1]}/http`, { headers }))
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toContain(
        `resource_metadata="${cluster.url}/.well-known/`,
      )
      const { access_token: token } = await client.connect()
      const both = { ...withToken(token), ...headers }
      const call = postModern(cluster.urls[2], 'tools/call', { name: 'login' }, { headers: both })
      const { url } = structured<SignInLink>((await read(call)).message.result ?? {})
      expect(url.startsWith(`${cluster.url}/connect/`)).toBe(true)
      const link = await read(fetch(url, { headers }))
      expect(link.text).not.toContain('evil.example')
    })

    test('redirects nobody to another host during authorization', async () => {
      const { search } = client.request().url
      const response = await sendWith(cluster, `/authorize${search}`, new Map(), { headers })
      expect(response.next).toMatch(/^\/consent\/[\w-]+$/)
      const { uid, cookies } = await beginAuthorization(cluster, client)
      const body = new URLSearchParams({ decision: 'allow' })
      const allow = { method: 'POST', body, headers }
      const allowed = await sendWith(cluster, `/consent/${uid}`, cookies, allow)
      expect(allowed.next).toBe(`/authorize/${uid}`)
      const resumed = await sendWith(cluster, allowed.next, cookies, { headers })
      const answer = new URL(resumed.next)
      expect(answer.host).toBe('127.0.0.1:33418')
      expect(answer.searchParams.get('iss')).toBe(cluster.url)
    })
  })

  test.each(EVIL_HOSTS)('the Host %s is refused, and not repeated', async (host) => {
    const paths = [
      ...METADATA,
      `/authorize${client.request().url.search}`,
      '/consent/x',
      '/connect/x',
    ]
    for (const path of paths) {
      for (const url of cluster.urls) {
        const { status, text } = await withHost(url + path, host)
        expect([400, 421]).toContain(status)
        expect(text).not.toContain('evil.example')
      }
    }
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((each) => each.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  })
})
