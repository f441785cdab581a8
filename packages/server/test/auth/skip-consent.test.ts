/** Pre-registered clients without a consent page (`skip_consent`). */

import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { callWith, idsIn, openAccount } from '../support/account.ts'
import { claimsOf, createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { start } from './authorization-apps.ts'

const KNOWN = { client_id: 'our-app', client_name: 'Our app', redirect_uris: [REDIRECT_URI] }

const startWith = (client: object, env: Readonly<Record<string, string>> = {}) =>
  start({ env: { OAUTH_CLIENTS: JSON.stringify([{ ...KNOWN, ...client }]), ...env } })

test('gets its code at once, and its session continues', async () => {
  const { url } = await startWith({ skip_consent: true })
  const client = await createOAuthClient(url, { known: KNOWN })
  const browser = createBrowser(REDIRECT_URI)
  const sessions = new Set<unknown>()
  for (let turn = 0; turn < 2; turn += 1) {
    const { url: address, verifier } = client.request()
    const called = await browser.open(address)
    const code = called.url.searchParams.get('code') ?? ''
    const { status, body } = await client.exchange({ code, verifier })
    expect(status).toBe(200)
    sessions.add(claimsOf(String(body.access_token)).session_id)
  }
  expect(sessions.size).toBe(1)
})

test('still signs in upstream with LOGIN=at-authorize', async () => {
  const { url } = await startWith({ skip_consent: true }, { LOGIN: 'at-authorize' })
  const client = await createOAuthClient(url, { known: KNOWN })
  const browser = createBrowser(REDIRECT_URI)
  const choice = await browser.open(client.request().url)
  expect(choice.text).toContain('Who are you?')
  const called = await browser.open(choice.url, { person: 'ada' })
  expect(called.url.searchParams.has('code')).toBe(true)
})

test('the page is shown without it, and for every client that claims it in its registration', async () => {
  const { url } = await startWith({ skip_consent: false })
  const known = await createOAuthClient(url, { known: KNOWN })
  const registered = await createOAuthClient(url, { metadata: { skip_consent: true } })
  for (const client of [known, registered]) {
    expect((await client.openConsent()).page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  }
})

test('the page shows that the operator registered the client, if its redirect URI is its own', async () => {
  const redirect_uris = ['https://our-app.example/callback']
  const { url } = await startWith({ redirect_uris })
  const known = await createOAuthClient(url, {
    known: KNOWN,
    metadata: { redirect_uris },
  })
  const self = await createOAuthClient(url, { metadata: { client_name: 'Our app', redirect_uris } })
  const shown = (await known.openConsent()).page.text
  expect(shown).toContain('Registered by the operator')
  expect(shown).not.toContain('Nobody has verified')
  const other = (await self.openConsent()).page.text
  expect(other).toContain('Not verified')
  expect(other).toContain('Nobody has verified')
  const local = await startWith({})
  const { page } = await (await createOAuthClient(local.url, { known: KNOWN })).openConsent()
  expect(page.text).toContain('Not verified')
})

test('must be a boolean', async () => {
  await expect(startWith({ skip_consent: 'yes' })).rejects.toBeInstanceOf(ConfigError)
})

test('restores no scope that its user has removed', async () => {
  const { url } = await startWith({ skip_consent: true })
  const client = await createOAuthClient(url, { known: KNOWN })
  const browser = createBrowser(REDIRECT_URI)
  const tokenFor = async (scope: string) => {
    const { url: address, verifier } = client.request({ scope })
    const called = await browser.open(address)
    const code = called.url.searchParams.get('code') ?? ''
    return String((await client.exchange({ code, verifier })).body.access_token)
  }
  const first = await tokenFor('mcp service:read')
  expect((await callWith(url, first, 'service')).status).toBe(200)
  for (const id of idsIn(await openAccount(url, browser), 'clients')) {
    await browser.open(`${url}/account`, { action: 'narrow', id, scope: 'mcp' })
  }
  const second = await tokenFor('mcp service:read')
  expect(claimsOf(second).session_id).toBe(claimsOf(first).session_id)
  for (const token of [first, second]) {
    expect((await callWith(url, token, 'service')).status).toBe(403)
  }
})
