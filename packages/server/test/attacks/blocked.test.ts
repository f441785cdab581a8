/** Attempts of a blocked client or person: refresh, new tokens, sign-in, session handles. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type AccessControl, createAccessControl } from '../../src/access-control.ts'
import { loadConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { openAccount, statusWith } from '../support/account.ts'
import { startApp, type TestApp } from '../support/app.ts'
import {
  type AssertionIssuer,
  JWT_BEARER_GRANT,
  startAssertionIssuer,
} from '../support/assertion-issuer.ts'
import { authorize, consentPage, personsBrowser, signIn } from '../support/authorize-again.ts'
import { createOAuthClient, type OAuthClient, postForm } from '../support/oauth-client.ts'
import { callWith, login, newBrowser, sessionState, signInAs } from '../support/sign-in.ts'

const WHY = { reason: 'a test', by: 'eve' }
const DENIED = { status: 400, body: { error: 'access_denied' } }
const nightly = { client_id: 'nightly', client_secret: 'the secret of the job' }
const desk = { client_id: 'desk', client_secret: 'the secret of the desk' }

let issuer: AssertionIssuer
let app: TestApp
let control: AccessControl
let client: OAuthClient
beforeAll(async () => {
  issuer = await startAssertionIssuer()
  const env = {
    ...{ NODE_ENV: 'test', RATE_LIMIT: 'off', MCP_AUTH: 'optional' },
    OAUTH_ID_JAG_ISSUERS: issuer.url,
    OAUTH_CLIENTS: JSON.stringify([
      { ...nightly, grant_types: ['client_credentials'] },
      { ...desk, grant_types: [JWT_BEARER_GRANT] },
    ]),
  }
  app = await startApp({ env })
  const loaded = loadConfig({ env, cwd: import.meta.dirname })
  const log = createLogger({ ...loaded.config.log, name: 'access', version: '1', level: 'error' })
  control = await createAccessControl({ ...loaded, store: app.store, log })
  client = await createOAuthClient(app.url)
})
afterAll(async () => {
  await control?.close()
  await app?.stop()
  await issuer?.stop()
})

type Target = Parameters<AccessControl['block']>[0]
const person = (value: string): Target => ({ kind: 'person', value })
const ofClient = (value: string): Target => ({ kind: 'client', value })

async function whileBlocked(target: Target, check: () => Promise<void>): Promise<void> {
  await control.block(target, WHY)
  try {
    await vi.waitFor(check, { timeout: 30_000 })
  } finally {
    await control.unblock(target, WHY)
  }
}

const requestMachineToken = () =>
  postForm(`${app.url}/token`, { grant_type: 'client_credentials', ...nightly })
const requestDeskToken = async (claims: object = {}) => {
  const assertion = await issuer.assertion(app.url, 'desk', { ...claims })
  return postForm(`${app.url}/token`, { grant_type: JWT_BEARER_GRANT, assertion, ...desk })
}

test('a blocked client gets no token and no consent page, and keeps its refresh token', async () => {
  const browser = personsBrowser()
  const tokens = await authorize(client, browser)
  await whileBlocked(ofClient(client.id), async () => {
    const refused = await client.refresh(tokens.refresh_token)
    expect(refused).toMatchObject(DENIED)
    expect(refused.body.error_description).toContain('has blocked this client')
    const { page } = await consentPage(client, browser)
    expect(page.url.searchParams.get('error')).toBe('access_denied')
  })
  const refreshed = async () => (await client.refresh(tokens.refresh_token)).status
  await expect.poll(refreshed).toBe(200)
})

test('a blocked person gets no token by a refresh', async () => {
  const browser = personsBrowser()
  const tokens = await authorize(client, browser)
  await signIn(app.url, tokens, browser, 'ada')
  await whileBlocked(person('ada'), async () => {
    expect(await client.refresh(tokens.refresh_token)).toMatchObject(DENIED)
  })
})

test('a handle of a blocked person is refused, and the person cannot sign in again', async () => {
  const signedIn = await login(app.url)
  await signInAs(newBrowser(), signedIn)
  const { session } = signedIn
  expect(await sessionState(app.url, session)).toBe('authenticated')
  await whileBlocked(person('ada'), async () => {
    const refused = JSON.stringify(await callWith(app.url, session, 'session'))
    expect(refused).toContain('has blocked this person')
    const page = await signInAs(newBrowser(), await login(app.url))
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('not allowed to use')])
    const browser = newBrowser()
    const choice = await browser.open(`${app.url}/account`, { action: 'sign_in' })
    expect((await browser.open(choice.url, { person: 'ada' })).text).toContain('not allowed')
    expect((await openAccount(app.url, browser)).text).not.toContain('Sign out of this page')
  })
})

test('a blocked machine gets no token', async () => {
  expect(await requestMachineToken()).toMatchObject({ status: 200 })
  await whileBlocked(ofClient('nightly'), async () => {
    expect(await requestMachineToken()).toMatchObject(DENIED)
  })
})

test('the person of an identity assertion is blocked by its `sub`', async () => {
  const token = String((await requestDeskToken({ sub: 'grace' })).body.access_token)
  expect(await statusWith(app.url, token)).toBe(200)
  await whileBlocked(person('grace'), async () => {
    expect(await statusWith(app.url, token)).toBe(403)
    expect(await requestDeskToken({ sub: 'grace' })).toMatchObject(DENIED)
    expect(await requestDeskToken({ sub: 'ada' })).toMatchObject({ status: 200 })
  })
  await whileBlocked(ofClient('desk'), async () => {
    expect(await requestDeskToken({ sub: 'ada' })).toMatchObject(DENIED)
  })
})

test('sessions without a consent are ended by client and by person', async () => {
  const machine = String((await requestMachineToken()).body.access_token)
  const [ada, bob] = [
    await requestDeskToken({ sub: 'ada' }),
    await requestDeskToken({ sub: 'bob' }),
  ]
  const statusOf = ({ body }: { readonly body: Readonly<Record<string, unknown>> }) =>
    statusWith(app.url, String(body.access_token))
  expect(await control.end(ofClient('nightly'), WHY)).toBe(1)
  expect(await statusWith(app.url, machine)).toBe(401)
  expect(await control.end(person('bob'), WHY)).toBe(1)
  expect([await statusOf(ada), await statusOf(bob)]).toEqual([200, 401])
  expect(await control.end(ofClient('desk'), WHY)).toBeGreaterThan(0)
  expect(await statusOf(ada)).toBe(401)
  expect(await requestDeskToken({ sub: 'bob' })).toMatchObject({ status: 200 })
})
