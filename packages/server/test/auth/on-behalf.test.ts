/** On behalf of: the caller's token is exchanged for one of the API, without a second sign-in. */

import { describe, expect, test, vi } from 'vitest'
import { CLIENT_SECRET, ENTRA, exchanged, RFC8693, startOnBehalf } from '../support/on-behalf.ts'

const SIGN_IN = expect.stringMatching(/login|sign/i)
const refusal =
  (error: string, status = 400) =>
  () => ({ status, body: { error } })

describe.each([
  ['rfc8693', RFC8693],
  ['entra-obo', ENTRA],
])('by %s', (kind, env) => {
  test('a call reaches the API in the name of the person, with one exchange', async () => {
    const { call, token, exchanges, api } = await startOnBehalf({ env })
    const ada = await token({ subject: 'ada' })
    const first = await call(ada)
    expect([first.isError, first.text]).toEqual([false, expect.stringContaining('Account of ada')])
    expect(await call(ada)).toMatchObject({ isError: false })
    // Another token of the same person, client and scopes.
    expect(await call(await token({ subject: 'ada' }))).toMatchObject({ isError: false })
    expect(exchanges).toHaveLength(1)
    const [{ form, authorization } = expect.fail('not exchanges')] = exchanges
    const basic = Buffer.from(`bank-server:${CLIENT_SECRET}`).toString('base64')
    expect(authorization).toBe(`Basic ${basic}`)
    expect(Object.fromEntries(form)).toEqual(
      kind === 'rfc8693'
        ? {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: ada,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            audience: 'api://bank',
            scope: 'accounts',
          }
        : {
            grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
            assertion: ada,
            requested_token_use: 'on_behalf_of',
            scope: 'https://graph.example.com/.default',
          },
    )
    // The caller's token never reaches the API.
    expect(JSON.stringify(api.seen)).not.toContain(ada)
  })

  test.each(['interaction_required', 'consent_required', 'login_required', 'invalid_grant'])(
    '%s leads to the ordinary sign-in, and the exchange is not repeated',
    async (error) => {
      const { call, token, exchanges, answer, lines } = await startOnBehalf({ env })
      answer(refusal(error))
      const ada = await token()
      for (const _ of [1, 2, 3]) {
        expect(await call(ada)).toMatchObject({ isError: true, text: SIGN_IN })
      }
      expect(exchanges).toHaveLength(1)
      expect(lines()).toContain('token exchange refused')
      const link = await call(ada, 'login')
      expect(link.text).toContain('/connect/')
      // A newer token may be accepted.
      answer((form) => ({ body: exchanged(form) }))
      expect(await call(await token({ ttlSeconds: 500 }))).toMatchObject({ isError: false })
    },
  )
})

test('concurrent calls share one exchange', async () => {
  const { call, token, exchanges } = await startOnBehalf()
  const ada = await token()
  const calls = await Promise.all(Array.from({ length: 10 }, () => call(ada)))
  expect(calls.map(({ isError }) => isError)).not.toContain(true)
  expect(exchanges).toHaveLength(1)
})

test('the result ends with the shorter lifetime of both tokens', async () => {
  const { call, token, exchanges, answer, api } = await startOnBehalf()
  answer((form) => ({
    body: exchanged(form, { expires_in: 6, access_token: `t${exchanges.length}` }),
  }))
  const ada = await token()
  expect(await call(ada)).toMatchObject({ isError: false })
  await vi.waitFor(
    async () => {
      expect(await call(ada)).toMatchObject({ isError: false })
      expect(exchanges.length).toBeGreaterThan(1)
    },
    { timeout: 30_000, interval: 500 },
  )
  // The caller's token expires first: a newer one is exchanged, though the API's is valid longer.
  answer((form) => ({ body: exchanged(form, { expires_in: 86_400, refresh_token: 'refresh' }) }))
  const bob = await token({ subject: 'bob', ttlSeconds: 7 })
  const before = exchanges.length
  expect(await call(bob)).toMatchObject({ isError: false })
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect(await call(await token({ subject: 'bob' }))).toMatchObject({ isError: false })
  expect(exchanges.length).toBe(before + 2)
  expect(JSON.stringify(api.seen)).not.toContain('refresh')
})

test('a token that the API rejects is exchanged once more', async () => {
  const { call, token, exchanges, answer, rejected } = await startOnBehalf()
  let count = 0
  answer((form) => ({ body: exchanged(form, { access_token: `api-${++count}` }) }))
  const ada = await token()
  expect((await call(ada)).text).toContain('api-1')
  rejected.add('Bearer api-1')
  expect((await call(ada)).text).toContain('api-2')
  expect(exchanges).toHaveLength(2)
})

test.each([
  ['unavailable', { status: 503, body: {} }, /does not answer/],
  ['a page', { status: 502, body: '<html>' }, /does not answer/],
  ['a wrong secret', { status: 401, body: { error: 'invalid_client' } }, /operator/],
  ['no such API', { status: 400, body: { error: 'invalid_target' } }, /operator/],
  ['no such scope', { status: 400, body: { error: 'invalid_scope' } }, /operator/],
  ['no such grant', { status: 400, body: { error: 'unsupported_grant_type' } }, /operator/],
])('%s does not lead to a sign-in, and the call has the reason', async (_what, body, words) => {
  const { call, token, answer, lines } = await startOnBehalf()
  answer(() => body)
  const ada = await token()
  const { isError, text } = await call(ada)
  expect([isError, text]).toEqual([true, expect.stringMatching(words)])
  expect(lines()).not.toContain(ada)
  if (String(words).includes('operator')) {
    expect(lines()).toMatch(/"level":"error"[^\n]*"check":"UPSTREAM_/)
  }
  answer((form) => ({ body: exchanged(form) }))
  await vi.waitFor(async () => expect((await call(ada)).isError).toBe(false), { timeout: 30_000 })
})

test('a tool that declares no sign-in causes no exchange', async () => {
  const { call, token, exchanges } = await startOnBehalf()
  expect(await call(await token(), 'session')).toMatchObject({ isError: false })
  expect(exchanges).toHaveLength(0)
})

test('a client without a user gets an error, and no link', async () => {
  const { call, issuer, claims, exchanges } = await startOnBehalf()
  const machine = await issuer.sign({ ...claims(), sub: 'client-a', client_id: 'client-a' })
  const { isError, text } = await call(machine)
  expect([isError, text]).toEqual([true, expect.stringMatching(/without a person/)])
  expect(text).not.toContain('/connect/')
  expect(exchanges).toHaveLength(0)
})
