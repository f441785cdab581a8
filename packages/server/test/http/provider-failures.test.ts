/** An identity provider that is unavailable or sends invalid responses: the page for the user. */

import { afterEach, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { recordingStore } from '../support/recording-store.ts'
import { login, type SignInLink, sessionState, submitCode } from '../support/sign-in.ts'
import { metadata, type Paths, startProvider } from '../upstream/fake-provider.ts'
import { type Answer, json } from '../upstream/misbehaving-server.ts'

const METADATA = '/.well-known/openid-configuration'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

/** A server with a provider whose responses the test can replace. */
async function start() {
  const provider = await startProvider()
  const { store, written } = recordingStore()
  const env = {
    UPSTREAM_ISSUER: provider.origin,
    UPSTREAM_CLIENT_ID: 'client-1',
    UPSTREAM_API_URL: `${provider.origin}/api`,
  }
  const app = await startApp({ store, env })
  stops.push(app.stop)

  const submit = ({ url, code }: SignInLink) => submitCode(url, code)

  /** Performs the sign-in up to the provider; returns its parameters and the callback. */
  async function leave() {
    const link = await login(app.url)
    const response = await submit(link)
    const parameters = new URL(response.headers.get('location') ?? '').searchParams
    const state = parameters.get('state') ?? ''
    const nonce = parameters.get('nonce') ?? ''
    const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
    const idToken = provider.sign({ ...provider.claims(), nonce })
    provider.paths['/token'] = json(provider.tokens({ id_token: idToken }))
    const back = (params: Record<string, string>) => {
      const search = new URLSearchParams({ state, ...params })
      return fetch(`${app.url}/callback?${search}`, { headers: { cookie } })
    }
    return { link, back, nonce }
  }

  const signedIn = async (session: string) =>
    (await sessionState(app.url, session)) === 'authenticated'

  /** The current values of all keys that were ever written. */
  async function left() {
    const keys = new Set(written.map(({ key }) => key))
    const found = await Promise.all(
      [...keys].map(async (key) => ((await store.get(key)) === undefined ? [] : [key])),
    )
    return found.flat()
  }
  return { app, provider, submit, leave, signedIn, left, written }
}

/** Expects the page of a failure, without text of the provider. */
async function expectFailure(response: Response, status: number, words: RegExp) {
  const text = await response.text()
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain('text/html')
  expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect(text).toMatch(words)
  expect(text).not.toMatch(/<script|<img|canary|secret-|ECONN|\.ts\b/)
}

test('signs in with valid responses', async () => {
  const { leave, signedIn, left } = await start()
  const { link, back } = await leave()
  expect((await back({ code: 'code-1' })).status).toBe(200)
  expect(await signedIn(link.session)).toBe(true)
  expect(await left()).toEqual([`{${link.session}}:session`])
})

test.each([
  ['access_denied', 403, /cancelled or refused/],
  ['login_required', 403, /cancelled or refused/],
  ['invalid_scope', 403, /cancelled or refused/],
  ['temporarily_unavailable', 502, /did not answer properly/],
  ['server_error', 502, /did not answer properly/],
  ['<script>alert(1)</script>', 403, /cancelled or refused/],
])(
  'an error %s becomes a page, and only the session remains stored',
  async (error, status, words) => {
    const { app, leave, signedIn, left } = await start()
    const { link, back } = await leave()
    const error_description = '<img src=x onerror=alert(1)> canary'
    await expectFailure(await back({ error, error_description }), status, words)
    expect(await signedIn(link.session)).toBe(false)
    expect(await left()).toEqual([`{${link.session}}:session`])
    expect((await back({ code: 'code-1' })).status).toBe(400)
    expect(app.lines.join('')).not.toContain('canary')
  },
)

test.each<[string, (paths: Paths) => void, RegExp]>([
  [
    'garbage instead of tokens',
    (paths) => {
      paths['/token'] = (res) => res.end('<html>canary</html>')
    },
    /did not answer properly/,
  ],
  [
    'a fault instead of tokens',
    (paths) => {
      paths['/token'] = json({ error: 'canary' }, 500)
    },
    /did not answer properly/,
  ],
  [
    'a broken connection instead of tokens',
    (paths) => {
      paths['/token'] = (res) => res.destroy()
    },
    /did not answer properly/,
  ],
  [
    'a refusal of the code',
    (paths) => {
      paths['/token'] = json({ error: 'invalid_grant', error_description: 'canary' }, 400)
    },
    /no longer valid/,
  ],
  [
    'an ID token for somebody else',
    (paths) => {
      paths['/jwks'] = json({ keys: [] })
    },
    /security check|did not answer properly/,
  ],
])('%s become a page, and nobody is signed in', async (_what, spoil, words) => {
  const { provider, leave, signedIn, left } = await start()
  const { link, back } = await leave()
  spoil(provider.paths)
  await expectFailure(await back({ code: 'code-1' }), 502, words)
  expect(await signedIn(link.session)).toBe(false)
  expect(await left()).toEqual([`{${link.session}}:session`])
})

test('an ID token with the nonce of another sign-in is refused', async () => {
  const { provider, leave, signedIn } = await start()
  const first = await leave()
  const second = await leave()
  const idToken = provider.sign({ ...provider.claims(), nonce: second.nonce })
  provider.paths['/token'] = json(provider.tokens({ id_token: idToken }))
  await expectFailure(await first.back({ code: 'code-1' }), 502, /security check/)
  expect(await signedIn(first.link.session)).toBe(false)
})

test('an answer that names another issuer is refused before its code is sent anywhere', async () => {
  const { provider, leave } = await start()
  const { back } = await leave()
  await expectFailure(await back({ code: 'c', iss: 'https://evil.com' }), 502, /security check/)
  expect(provider.count('/token')).toBe(0)
})

test.each<[string, Answer]>([
  ['unavailable', (res) => res.destroy()],
  ['silent', () => undefined],
])('a provider that is %s: a page soon, and the link stays valid', async (_how, answer) => {
  const { app, provider, submit } = await start()
  const { paths } = provider
  const metadata = paths[METADATA] ?? answer
  paths[METADATA] = answer
  const link = await login(app.url)
  const started = performance.now()
  const response = await submit(link)
  // Providers have five seconds; browsers wait much longer.
  expect(performance.now() - started).toBeLessThan(10_000)
  expect(response.headers.getSetCookie()).toEqual([])
  await expectFailure(response, 502, /did not answer properly. Try again shortly\./)
  paths[METADATA] = metadata
  expect((await submit(link)).status).toBe(303)
})

test('the code stays valid while the provider is unavailable', async () => {
  const { app, provider, submit } = await start()
  const { paths } = provider
  const metadata = paths[METADATA]
  paths[METADATA] = (res) => res.destroy()
  const link = await login(app.url)
  for (let count = 0; count < 7; count += 1) expect((await submit(link)).status).toBe(502)
  if (metadata !== undefined) paths[METADATA] = metadata
  expect((await submit(link)).status).toBe(303)
})

/** The log line of the failure at the provider: the last one, since the check at start may log it, too. */
function logged(lines: readonly string[]) {
  const found = lines.map((line) => JSON.parse(line)).filter(({ errorCode }) => errorCode)
  expect(found.length).toBeGreaterThan(0)
  return found.at(-1)
}

test.each<[string, Answer]>([
  ['the standard', json({ error: 'invalid_client', error_description: 'canary' }, 401)],
  ['GitHub', json({ error: 'incorrect_client_credentials', error_description: 'canary' })],
  ['Slack', json({ ok: false, error: 'bad_client_secret' })],
])('a wrong client secret, as %s reports it, is a fault of the operator', async (_who, answer) => {
  const { app, provider, leave, signedIn, left } = await start()
  const { link, back } = await leave()
  provider.paths['/token'] = answer
  await expectFailure(await back({ code: 'code-1' }), 502, /does not accept this server.*operator/)
  expect(await signedIn(link.session)).toBe(false)
  expect(await left()).toEqual([`{${link.session}}:session`])
  expect(logged(app.lines)).toMatchObject({
    level: 'error',
    msg: 'identity provider does not accept this server',
    errorCode: 'invalid_client',
    endpoint: `${provider.origin}/token`,
    check: expect.stringContaining('UPSTREAM_CLIENT_SECRET'),
  })
  expect(app.lines.join('')).not.toMatch(/canary|code-1/)
})

test('another issuer in the metadata is the fault of the operator, when the link is opened', async () => {
  const { app, provider, submit } = await start()
  provider.paths[METADATA] = json({ ...metadata(provider.origin), issuer: 'https://other.example' })
  await expectFailure(await submit(await login(app.url)), 502, /security check/)
  expect(logged(app.lines)).toMatchObject({
    level: 'error',
    msg: 'identity provider names another issuer',
    field: 'issuer',
    endpoint: provider.origin + METADATA,
    check: 'UPSTREAM_ISSUER',
  })
})

test.each([
  ['nonce', 'other'],
  ['aud', 'another-client'],
  ['iss', 'https://evil.example'],
  ['exp', 1],
  ['iat', 'text'],
])('an ID token with an invalid %s is logged with the name of the claim', async (claim, value) => {
  const { app, provider, leave } = await start()
  const { back, nonce } = await leave()
  const id_token = provider.sign({ ...provider.claims(), nonce, [claim]: value })
  provider.paths['/token'] = json(provider.tokens({ id_token }))
  await expectFailure(await back({ code: 'code-1' }), 502, /security check|properly/)
  expect(logged(app.lines)).toMatchObject({ field: claim, errorCode: 'invalid_response' })
})
