/** Registered, pre-registered and unused clients. */

import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { claimsOf, createOAuthClient, REDIRECT_URI, register } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'
import { start, startWithClock } from './authorization-apps.ts'

const DAY = 24 * 60 * 60

test('a public client gets an id, and its effective metadata', async () => {
  const app = await start()
  const { status, headers, body } = await register(app.url, {
    scope: 'everything',
    application_type: 'web',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    logo_uri: '',
    client_uri: null,
  })
  expect(status).toBe(201)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(body).toEqual({
    client_id: expect.stringMatching(/^cli_[\w-]{43}$/),
    client_id_issued_at: expect.any(Number),
    client_name: 'A test client',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  })
})

test.each(['client_secret_basic', 'client_secret_post', undefined])(
  'a confidential client (%s) gets a secret, and needs it',
  async (method) => {
    const { store, written } = recordingStore()
    const app = await start({ store })
    const metadata = { token_endpoint_auth_method: method }
    const client = await createOAuthClient(app.url, { metadata })
    const { client_secret: secret, client_secret_expires_at: expiry } = client.registration
    expect(Number(expiry)).toBeGreaterThan(Date.now() / 1000 + 89 * DAY)
    expect(JSON.stringify(written)).not.toContain(secret)
    const authorization = await client.authorize()
    for (const client_secret of [undefined, 'another one']) {
      const refused = await client.exchange(authorization, { client_secret })
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    }
    expect(await client.exchange(authorization)).toMatchObject({ status: 200 })
  },
)

test.each([
  ['http elsewhere', ['http://client.example/callback'], 'invalid_redirect_uri'],
  ['a scheme that is not allowed', ['evil-app:/callback'], 'invalid_redirect_uri'],
  ['a script', ['javascript:alert(1)'], 'invalid_redirect_uri'],
  ['a fragment', ['https://client.example/#there'], 'invalid_redirect_uri'],
  ['none', [], 'invalid_redirect_uri'],
  ['something else', 'https://client.example/', 'invalid_redirect_uri'],
  [
    'very many',
    Array.from({ length: 21 }, (_, i) => `https://a.example/${i}`),
    'invalid_redirect_uri',
  ],
])('%s as redirect URI is refused', async (_what, redirect_uris, error) => {
  const app = await start()
  expect(await register(app.url, { redirect_uris })).toMatchObject({ status: 400, body: { error } })
})

test('a refused redirect URI leaves the others, and the response has the reason', async () => {
  const app = await start()
  const redirect_uris = [REDIRECT_URI, 'warp://mcp/oauth', 'javascript:alert(1)']
  const client = await createOAuthClient(app.url, { metadata: { redirect_uris } })
  expect(client.registration).toMatchObject({
    redirect_uris: [REDIRECT_URI],
    redirect_uris_dropped: [
      { scheme: 'warp', fault: expect.stringContaining('OAUTH_REDIRECT_SCHEMES') },
      { scheme: 'javascript', fault: expect.any(String) },
    ],
  })
  const line = app.lines.find((each) => each.includes('redirect URIs dropped'))
  expect(line).toMatch(/warp.*OAUTH_REDIRECT_SCHEMES/)
  const { page } = await client.ask({ redirect_uri: 'warp://mcp/oauth' })
  expect(page.status).toBe(400)
  expect(await client.connect()).toMatchObject({ token_type: 'Bearer' })
})

test('a scheme of its own that is the only one is refused by name', async () => {
  const app = await start()
  const { status, body } = await register(app.url, { redirect_uris: ['warp://mcp/oauth'] })
  expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_redirect_uri' })
  expect(body.error_description).toMatch(/warp is not in OAUTH_REDIRECT_SCHEMES/)
})

test.each([
  ['a name that is no text', { client_name: 7 }],
  ['an address without a scheme', { client_uri: 'client.example' }],
  ['a relative address', { logo_uri: '/logo.png' }],
  ['an image as its address', { logo_uri: 'data:image/png;base64,AA==' }],
  [
    'addresses of an app',
    { client_uri: 'cursor://about', tos_uri: 'about:blank', policy_uri: 'x' },
  ],
  ['contacts that are no list', { contacts: 'ops@client.example' }],
  ['contacts that are no texts', { contacts: [7] }],
])('%s is dropped, because it only describes the client', async (_what, described) => {
  const app = await start()
  const { status, body } = await register(app.url, { ...described, software_id: 'x' })
  expect(status).toBe(201)
  for (const name of Object.keys(described)) expect(body).not.toHaveProperty(name)
  const client = await createOAuthClient(app.url, { metadata: described })
  expect(await client.connect()).toHaveProperty('access_token')
})

test('what is not JSON, or too long, is refused without repeating it', async () => {
  const app = await start()
  const long = await register(app.url, { contacts: Array(900).fill(`${'x'.repeat(40)}@a.example`) })
  expect(long.status).toBe(400)
  const response = await fetch(`${app.url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"client_secret": canary-in-the-body',
  })
  expect(response.status).toBe(400)
  expect((await response.text()) + app.lines.join()).not.toContain('canary')
})

test.each(['http://127.0.0.1/callback', 'http://127.0.0.1:33418/callback'])(
  'a client of %s may come with any port',
  async (registered) => {
    const app = await start()
    const metadata = { redirect_uris: [registered] }
    const client = await createOAuthClient(app.url, { metadata })
    const redirect_uri = 'http://127.0.0.1:49152/callback'
    const { page, verifier } = await client.ask({ redirect_uri })
    expect(page.text).toContain('127.0.0.1:49152')
    expect(verifier).toBeTruthy()
  },
)

test('a registration is forgotten in a day if unused, and in ninety if not used again', async () => {
  const { app, pass } = await startWithClock()
  const unused = await createOAuthClient(app.url)
  const used = await createOAuthClient(app.url)
  await used.connect()
  pass(DAY + 60)
  expect((await unused.ask()).page.text).toContain('invalid_client')
  pass(88 * DAY)
  await used.connect()
  pass(89 * DAY)
  await used.connect()
  pass(91 * DAY)
  expect((await used.ask()).page.text).toContain('invalid_client')
})

test('configured clients need no registration', async () => {
  const redirect_uris = [REDIRECT_URI]
  const clients = [
    { client_id: 'public', client_name: 'Known app', redirect_uris },
    { client_id: 'private', client_secret: 'its own secret', redirect_uris },
  ]
  const app = await start({ env: { OAUTH_CLIENTS: JSON.stringify(clients) } })
  for (const known of clients) {
    const client = await createOAuthClient(app.url, { known })
    const { access_token: token } = await client.connect()
    expect(claimsOf(token)).toMatchObject({ client_id: known.client_id })
  }
})

test('an invalid configured client prevents the start', async () => {
  const clients = [{ client_id: 'broken', redirect_uris: ['http://client.example/'] }]
  const starting = start({ env: { OAUTH_CLIENTS: JSON.stringify(clients) } })
  await expect(starting).rejects.toBeInstanceOf(ConfigError)
  await expect(starting).rejects.toThrow(
    /OAUTH_CLIENTS client broken: redirect_uris must use https/,
  )
})
