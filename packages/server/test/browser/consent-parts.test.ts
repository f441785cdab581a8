/** What a consent page is made of, and what people see of a sign-in that needs no code. */

import { Hono } from 'hono'
import { html } from 'hono/html'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpEnv } from '../../src/http/http-env.ts'
import { createHttpServer, listen } from '../../src/http/http-server.ts'
import { createPageTheme } from '../../src/http/pages/page-theme.ts'
import { page as answer, pagesOf } from '../../src/http/pages/pages.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { describeBrowser, faintTexts, screenshot, scrollsSideways } from '../support/browser.ts'
import { authorizeClient } from '../support/consented-client.ts'

/** Every part that pages may have, on one page. */
const PARTS = html`<p><strong>Some Editor</strong> asks to use this server on your behalf.</p>
  <dl><dt>Client</dt><dd>Some Editor</dd>
    <dt>Identity</dt><dd><span class="tag warn">Not verified</span></dd>
    <dt>Published by</dt><dd>editor.example <span class="tag good">Verified</span></dd>
    <dt>Sends you back to</dt><dd>https://editor.example/a-very-long-path/that-does-not-break-anywhere-by-itself</dd></dl>
  <h2>It will be able to</h2>
  <ul class="rows"><li>Read your accounts <code>accounts:read</code></li>
    <li>Make payments <code>payments:write</code></li></ul>
  <p class="notice">Nobody has checked that this client is what it says.</p>
  <p role="alert">The identity provider does not answer.</p>
  <form method="post"><div class="actions">
    <button name="decision" value="allow">Allow</button>
    <button name="decision" value="deny" class="secondary">Deny</button></div></form>
  <p class="soft">You can take this back at any time.</p>`

let app: TestApp
let partsUrl: string
const parts = new Hono<HttpEnv>()
parts.use(
  pagesOf(
    createPageTheme({
      name: 'A server with the longest name that anybody would give to one',
      publicUrl: 'https://a-very-long-name-of-a-server-that-does-not-break.departments.example',
      color: '#ffcc00',
      supportUrl: 'https://help.example/contact',
    }),
  ),
)
parts.get('/', (c) => answer(c, { title: 'Authorize Some Editor?', body: PARTS }))
const { server, drain } = createHttpServer(() => ({
  guard: () => undefined,
  fetch: parts.fetch,
  mounts: new Map(),
}))

beforeAll(async () => {
  app = await startApp()
  partsUrl = `http://localhost:${await listen(server, '127.0.0.1', 0)}`
})
afterAll(async () => {
  await drain(1000)
  await app.stop()
})

describeBrowser('pages that lead through consent', (open) => {
  describe.each(['light', 'dark'] as const)('on a %s screen', (colorScheme) => {
    test.each([
      ['wide', 1280],
      ['small', 375],
      ['tiny', 320],
    ])('that is %s: can be read, and fit', async (size, width) => {
      const { page, complaints } = await open({ colorScheme, viewport: { width, height: 800 } })
      await page.goto(partsUrl)
      await screenshot(page, `consent-parts-${colorScheme}-${size}`)
      expect(await scrollsSideways(page)).toBe(false)
      expect(await faintTexts(page)).toEqual([])
      const allow = await page.getByRole('button', { name: 'Allow' }).boundingBox()
      const deny = await page.getByRole('button', { name: 'Deny' }).boundingBox()
      expect(allow?.y === deny?.y).toBe(size !== 'tiny')
      expect(complaints).toEqual([])
    })
  })

  test('a sign-in in the browser that let the client in takes one button', async () => {
    const { url, browser, sessions, sessionId } = await authorizeClient(app)
    const { page, context, complaints } = await open()
    await context.addCookies([{ name: 'mcp-browser', value: browser, url: app.url }])
    await page.goto(url)
    await screenshot(page, 'sign-in-without-code')
    expect(await page.getByRole('textbox').count()).toBe(0)
    expect(await page.locator(':focus').count()).toBe(0)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /Ada Lovelace/ }).click()
    await page.getByRole('heading', { name: 'Login successful' }).waitFor()
    expect(await sessions.peek(sessionId)).toMatchObject({ state: 'authenticated' })
    expect(complaints).toEqual([])
  })

  test('a page of another port cannot press that button', async () => {
    const { url, browser, sessions, sessionId } = await authorizeClient(app)
    const { page, context } = await open()
    await context.addCookies([{ name: 'mcp-browser', value: browser, url: app.url }])
    await page.goto(`${partsUrl}/elsewhere`)
    await page.setContent(`<form method="post" action="${url}"><button>Win a prize</button></form>`)
    const sent = page.waitForResponse(url)
    await page.getByRole('button', { name: 'Win a prize' }).click()
    expect((await sent).status()).toBe(403)
    expect((await (await sent).request().allHeaders()).cookie).toContain(browser)
    expect(await sessions.peek(sessionId)).toMatchObject({ state: 'anonymous' })
  })
})
