/**
 * Redirect URIs that resemble a registered one, and missing or weak PKCE (CVE-2025-4143,
 * CVE-2025-4144): refused at once, without a redirect.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OAuthClient, type Params, REDIRECT_URI } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const HTTPS = 'https://client.example/callback'
const LOOPBACK = REDIRECT_URI

const VARIANTS = [
  ...['https://evil.example/callback', 'https://client.example.evil.example/callback'],
  ...['https://evil.example/?https://client.example/callback', 'https://client.example'],
  ...[
    'https://client.example@evil.example/callback',
    'https://evil.example#@client.example/callback',
  ],
  ...['https://user@client.example/callback', 'https://user:pw@client.example/callback'],
  ...[
    'https://client.example/callback/',
    'https://client.example/callback/x',
    'https://client.example/',
  ],
  ...[
    'https://client.example/callback?x=1',
    'https://client.example/callback?',
    `${HTTPS}#x`,
    `${HTTPS}#`,
  ],
  ...['https://client.example/x/../callback', 'https://client.example/./callback'],
  ...['https://client.example/callback/../evil', 'https://client.example/callback/..%2fevil'],
  ...[
    'https://client.example/%63allback',
    'https://client.example//callback',
    'https://client.example/Callback',
  ],
  ...['https://client.example:443/callback', 'https://client.example:8443/callback'],
  ...[
    'http://client.example/callback',
    'HTTPS://client.example/callback',
    'https://CLIENT.example/callback',
  ],
  ...[
    'https:client.example/callback',
    'https:/client.example/callback',
    'https:\\\\client.example\\callback',
  ],
  ...[
    '//client.example/callback',
    '/callback',
    'callback',
    '',
    ' ',
    '*',
    'https://*.example/callback',
  ],
  ...[
    ` ${HTTPS}`,
    `${HTTPS} `,
    `${HTTPS}\n`,
    `${HTTPS}\r\nLocation: https://evil.example`,
    `${HTTPS}\0`,
  ],
  ...[
    'https://client.example/call\tback',
    'https://client.example./callback',
    'https://сlient.example/callback',
  ],
  ...[
    'https://client.example\\@evil.example/callback',
    'https://evil.example\\.client.example/callback',
  ],
  ...[
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'about:blank',
    'urn:ietf:wg:oauth:2.0:oob',
  ],
]

/** Only the port of a loopback address may differ (RFC 8252, section 7.3). */
const LOOPBACK_VARIANTS = [
  ...[
    'http://localhost:33418/callback',
    'http://[::1]:33418/callback',
    'http://127.0.0.2:33418/callback',
  ],
  ...[
    'http://127.1:33418/callback',
    'http://0x7f.0.0.1:33418/callback',
    'http://2130706433:33418/callback',
  ],
  ...[
    'http://0.0.0.0:33418/callback',
    'http://[::ffff:127.0.0.1]:33418/callback',
    'http://127.0.0.1.:33418/callback',
  ],
  ...['https://127.0.0.1:33418/callback', 'http://127.0.0.1:33418@evil.example/callback'],
  ...['http://evil@127.0.0.1:33418/callback', 'http://127.0.0.1.evil.example:33418/callback'],
  ...[
    'http://127.0.0.1:33418/callback/',
    'http://127.0.0.1:33418/x/../callback',
    'http://127.0.0.1:33418/%63allback',
  ],
  ...[
    'http://127.0.0.1:33418/callback?x',
    'http://127.0.0.1:33418/callback#x',
    'http://127.0.0.1:33418/call\tback',
  ],
  ...[
    'http://127.0.0.1:33418/call\nback',
    'http:\\\\127.0.0.1:33418\\callback',
    'http:127.0.0.1:33418/callback',
  ],
  ...[
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:x/callback',
    'http://127.0.0.1:-1/callback',
  ],
  ...[
    'http://127.0.0.1:33418\r\nX: y/callback',
    'HTTP://127.0.0.1:33418/callback',
    'http://127.0.0.1:80:90/callback',
  ],
]

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  let native: OAuthClient
  beforeAll(async () => {
    cluster = await startOAuthNodes()
    client = await cluster.client({ metadata: { redirect_uris: [HTTPS] } })
    native = await cluster.client({ metadata: { redirect_uris: [LOOPBACK] } })
  })
  afterAll(() => cluster?.stop())

  /** The response of `/authorize` at each node; does not follow redirects. */
  async function authorizeAt(asking: OAuthClient, params: Params) {
    const { search } = asking.request(params).url
    const answers = cluster.urls.map((url) =>
      fetch(`${url}/authorize${search}`, { redirect: 'manual' }),
    )
    return Promise.all(answers)
  }

  async function expectNoRedirect(asking: OAuthClient, uri: string): Promise<void> {
    for (const answer of await authorizeAt(asking, { redirect_uri: uri })) {
      expect(answer.status).toBe(400)
      expect(answer.headers.get('location')).toBeNull()
      expect(answer.headers.getSetCookie()).toEqual([])
      expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      await answer.text()
    }
  }

  test('the registered one gets the consent page', async () => {
    for (const asking of [client, native]) {
      for (const answer of await authorizeAt(asking, {})) expect(answer.status).toBe(303)
    }
    const other = LOOPBACK.replace('33418', '1234')
    for (const answer of await authorizeAt(native, { redirect_uri: other }))
      expect(answer.status).toBe(303)
  })

  test.each(VARIANTS)('%j is not the redirect URI of a web client', async (uri) => {
    await expectNoRedirect(client, uri)
  })

  test.each(LOOPBACK_VARIANTS)('%j is not the redirect URI of a native client', async (uri) => {
    await expectNoRedirect(native, uri)
  })

  test.each([
    ['two of them', { redirect_uri: [HTTPS, 'https://evil.example/'] }],
    ['two of them, the other way round', { redirect_uri: ['https://evil.example/', HTTPS] }],
    ['the same one twice', { redirect_uri: [HTTPS, HTTPS] }],
    ['two clients', { client_id: ['CLIENT', 'NATIVE'] }],
  ])('%s are refused without a redirect', async (_what, params) => {
    const ids = { CLIENT: client.id, NATIVE: native.id } as Readonly<Record<string, string>>
    const sent =
      'client_id' in params ? { client_id: params.client_id.map((id) => ids[id] ?? id) } : params
    for (const answer of await authorizeAt(client, sent)) {
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
  })

  describe('PKCE', () => {
    test.each([
      ['left out', { code_challenge: undefined, code_challenge_method: undefined }],
      ['plain', { code_challenge_method: 'plain' }],
      ['plain by default', { code_challenge_method: undefined }],
      ['of another method', { code_challenge_method: 's256' }],
      ['of two methods', { code_challenge_method: ['S256', 'plain'] }],
      ['empty', { code_challenge: '' }],
      ['too short', { code_challenge: 'x' }],
      ['too long', { code_challenge: 'x'.repeat(129) }],
      ['with characters of no challenge', { code_challenge: `${'x'.repeat(42)}=` }],
    ])('%s does not lead to the consent page', async (_what, params) => {
      for (const answer of await authorizeAt(native, params)) {
        const location = answer.headers.get('location') ?? ''
        expect(location).not.toContain('/consent/')
        expect(location).not.toContain('code=')
        expect(answer.status === 400 || location.includes('error=invalid_request')).toBe(true)
      }
    })

    test.each([
      ['no verifier', () => undefined],
      ['an empty verifier', () => ''],
      ['another verifier', () => 'v'.repeat(43)],
      ['the challenge as verifier', (_verifier: string, challenge: string) => challenge],
      ['a verifier cut off', (verifier: string) => verifier.slice(0, -1)],
      ['a verifier and more', (verifier: string) => `${verifier}A`],
      ['two verifiers', (verifier: string) => [verifier, verifier]],
    ])('%s is refused at the token endpoint', async (_what, shown) => {
      const { url, verifier } = native.request()
      const challenge = url.searchParams.get('code_challenge') ?? ''
      const authorization = await native.authorize({ code_challenge: challenge })
      const answer = await native.exchange(authorization, {
        code_verifier: shown(verifier, challenge),
      })
      expect(answer.status).toBe(400)
      expect(answer.body).not.toHaveProperty('access_token')
      expect(await native.exchange({ ...authorization, verifier })).toMatchObject({ status: 200 })
    })

    test('is needed by clients with a secret, too', async () => {
      const metadata = { token_endpoint_auth_method: 'client_secret_post' }
      const confidential = await cluster.client({ metadata })
      const without = { code_challenge: undefined, code_challenge_method: undefined }
      for (const answer of await authorizeAt(confidential, without)) {
        expect(answer.headers.get('location')).toContain('error=invalid_request')
      }
      const authorization = await confidential.authorize()
      const answer = await confidential.exchange(authorization, { code_verifier: undefined })
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    })
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((node) => node.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  })
})
