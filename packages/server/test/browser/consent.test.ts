/** Authorizing clients in a real browser, with mouse or keyboard, on any screen. */

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { describeBrowser, faintTexts, screenshot, scrollsSideways } from '../support/browser.ts'
import { structured } from '../support/clients.ts'
import { startMetadataClient } from '../support/metadata-client.ts'
import { createOAuthClient, type OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { postModern, read } from '../support/wire.ts'

const CLIENTS = {
  https: 'https://client.example/callback',
  loopback: REDIRECT_URI,
  cursor: 'cursor://anysphere.cursor-mcp/callback',
} as const

/** Nothing listens at the redirect URI of a client; errors of that navigation are expected. */
const NOBODY_THERE = /^Failed to load resource: net::ERR_|^Failed to launch 'cursor:/

const PHONE = { width: 375, height: 667 }
const DESKTOP = { width: 1280, height: 800 }
const SCREENS = [
  ['small', 'light', PHONE],
  ['small', 'dark', PHONE],
  ['wide', 'light', DESKTOP],
  ['wide', 'dark', DESKTOP],
] as const

let app: TestApp
let signingIn: TestApp
beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT: 'off' } })
  signingIn = await startApp({ env: { RATE_LIMIT: 'off', LOGIN: 'at-authorize' } })
})
afterAll(() => Promise.all([app.stop(), signingIn.stop()]))

const clientAt = (redirectUri: string, { url } = app) =>
  createOAuthClient(url, { metadata: { redirect_uris: [redirectUri] } })

const ours = (complaints: readonly string[]) =>
  complaints.filter((complaint) => !NOBODY_THERE.test(complaint))

/** The URL to which the server redirects the browser in the end, which does not load. */
async function sentTo(page: Page, redirectUri: string, act: () => Promise<void>): Promise<URL> {
  const answered = page.waitForResponse((response) =>
    (response.headers().location ?? '').startsWith(redirectUri),
  )
  await act()
  return new URL((await answered).headers().location ?? '')
}

async function callService(url: string, client: OAuthClient, called: URL, verifier: string) {
  const code = called.searchParams.get('code') ?? ''
  const { body } = await client.exchange({ code, verifier })
  const headers = { authorization: `Bearer ${body.access_token}` }
  const params = { name: 'service' }
  const { message } = await read(postModern(url, 'tools/call', params, { headers }))
  return structured(message.result ?? {})
}

describeBrowser('the consent page', (open) => {
  describe.each(Object.entries(CLIENTS))(
    'of a client with a redirect URI of the kind %s',
    (kind, redirectUri) => {
      test('leads back to the client, whatever the decision, with the keyboard alone', async () => {
        const client = await clientAt(redirectUri)
        for (const [tabs, expected] of [
          [1, 'code'],
          [2, 'error'],
        ] as const) {
          const { page, complaints } = await open()
          const { url, state } = client.request()
          await page.goto(url.href)
          await page.getByRole('heading', { level: 1, name: 'Authorize A test client?' }).waitFor()
          const called = await sentTo(page, redirectUri, async () => {
            for (let count = 0; count < tabs; count += 1) await page.keyboard.press('Tab')
            await page.keyboard.press('Enter')
          })
          expect(called.searchParams.get('state')).toBe(state)
          expect(called.searchParams.has(expected)).toBe(true)
          expect(ours(complaints)).toEqual([])
        }
      })

      test.each(SCREENS)('can be read on a %s %s screen', async (size, colorScheme, viewport) => {
        const { url } = (await clientAt(redirectUri)).request()
        const { page, complaints } = await open({ colorScheme, viewport })
        await page.goto(url.href)
        await screenshot(page, `consent-${kind}-${colorScheme}-${size}`)
        expect(await scrollsSideways(page)).toBe(false)
        expect(await faintTexts(page)).toEqual([])
        const main = await page.getByRole('main').textContent()
        if (kind === 'https') expect(main).toContain('The operator of client.example gets access')
        else expect(main).toContain('Any app on this computer can claim to be this client')
        expect(complaints).toEqual([])
      })
    },
  )

  test('of a client with a metadata document shows the host of the document', async () => {
    const redirect_uris = [REDIRECT_URI]
    const { host, client } = await startMetadataClient((client_id) => ({
      client_id,
      client_name: 'An app of the web',
      redirect_uris,
    }))
    const { page, complaints } = await open()
    await page.goto(client.request().url.href)
    const published = page.getByText('Published by').locator('xpath=following-sibling::dd[1]')
    expect(await published.textContent()).toBe(new URL(host.origin).host)
    await screenshot(page, 'consent-document')
    const called = await sentTo(page, REDIRECT_URI, () =>
      page.getByRole('button', { name: 'Allow' }).click(),
    )
    expect(called.searchParams.has('code')).toBe(true)
    expect(ours(complaints)).toEqual([])
  })

  test('works without JavaScript', async () => {
    const client = await clientAt(REDIRECT_URI)
    const { page } = await open({ javaScriptEnabled: false })
    await page.goto(client.request().url.href)
    const called = await sentTo(page, REDIRECT_URI, () =>
      page.getByRole('button', { name: 'Allow' }).click(),
    )
    expect(called.searchParams.has('code')).toBe(true)
  })
})

describeBrowser('signing in while a client is authorized', (open) => {
  test.each(Object.entries(CLIENTS))(
    'leads to the provider and back, with a redirect URI of the kind %s',
    async (_, back) => {
      const client = await clientAt(back, signingIn)
      const { page, complaints } = await open()
      const { url, verifier } = client.request()
      await page.goto(url.href)
      await page.getByRole('button', { name: 'Allow' }).click()
      const called = await sentTo(page, back, () =>
        page.getByRole('button', { name: /Ada Lovelace/ }).click(),
      )
      expect(await callService(signingIn.url, client, called, verifier)).toMatchObject({
        owner: 'Ada Lovelace',
      })
      expect(ours(complaints)).toEqual([])
    },
  )

  test.each(['light', 'dark'] as const)('can be retried, or cancelled (%s)', async (scheme) => {
    const client = await clientAt(REDIRECT_URI, signingIn)
    const viewport = { width: 375, height: 667 }
    const { page, complaints } = await open({ colorScheme: scheme, viewport })
    await page.goto(client.request().url.href)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('heading', { level: 1, name: 'Sign-in failed' }).waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('cancelled')
    await screenshot(page, `consent-sign-in-failed-${scheme}`)
    expect(await scrollsSideways(page)).toBe(false)
    expect(await faintTexts(page)).toEqual([])
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    const called = await sentTo(page, REDIRECT_URI, () =>
      page.getByRole('button', { name: 'Give up' }).click(),
    )
    expect(called.searchParams.get('error')).toBe('access_denied')
    expect(ours(complaints)).toEqual([])
  })
})
