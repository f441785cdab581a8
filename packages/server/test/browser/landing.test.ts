/** The landing page as people use it: on any screen, with the keyboard, without scripts, copying from it. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import {
  describeBrowser,
  faintTexts,
  type OpenTab,
  screenshot,
  scrollsSideways,
} from '../support/browser.ts'
import { createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { postModern, read } from '../support/wire.ts'

const run = promisify(execFile)

const BRAND = {
  APP_NAME: 'Example Bank Assistant',
  APP_DESCRIPTION: 'Reads your accounts at Example Bank, and prepares transfers that you confirm.',
  APP_SUPPORT_URL: 'https://bank.example/help',
  RATE_LIMIT: 'off',
}

let app: TestApp
/** A colour without enough contrast on either background. */
let yellow: TestApp
let online: TestApp
beforeAll(async () => {
  app = await startApp({ env: BRAND })
  yellow = await startApp({ env: { ...BRAND, APP_COLOR: 'ffe04d' } })
  const upstream = {
    ...{ UPSTREAM_ISSUER: 'https://id.bank.example', UPSTREAM_CLIENT_ID: 'assistant' },
    UPSTREAM_API_URL: 'https://api.bank.example',
    PUBLIC_URL: 'https://assistant.bank.example',
  }
  online = await startApp({ env: { ...BRAND, ...upstream, MCP_AUTH: 'required' } })
})
afterAll(() => Promise.all([app.stop(), yellow.stop(), online.stop()]))

const client = (page: Page, name: string) =>
  page.locator('details').filter({ has: page.locator('summary', { hasText: name }) })

async function unfold(page: Page): Promise<void> {
  for (const summary of await page.locator('summary').all()) await summary.click()
}

function toolsIn(answer: string): string[] {
  const { result } = JSON.parse(answer) as { result: { tools: { name: string }[] } }
  return result.tools.map(({ name }) => name)
}

async function looksRight(page: Page): Promise<void> {
  expect(await scrollsSideways(page)).toBe(false)
  expect(await faintTexts(page)).toEqual([])
}

/** Runs in the page: the outline of the focused element. */
const OUTLINE = `(({ outlineStyle, outlineWidth }) => outlineStyle + ' ' + outlineWidth)(
  getComputedStyle(document.activeElement))`

const SCREENS = [
  ['desktop', 1280, 800],
  ['phone', 375, 667],
  ['tiny', 320, 568],
] as const

describeBrowser('the landing page', (open) => {
  describe.each(['light', 'dark'] as const)('on a %s screen', (colorScheme) => {
    test.each(SCREENS)(
      'that is %s: can be read, and fits, folded or not',
      async (size, width, height) => {
        const { page, complaints } = await open({ colorScheme, viewport: { width, height } })
        await page.goto(app.url)
        await screenshot(page, `landing-${colorScheme}-${size}`)
        await looksRight(page)
        await unfold(page)
        await screenshot(page, `landing-${colorScheme}-${size}-unfolded`)
        await looksRight(page)
        expect(complaints).toEqual([])
      },
    )

    test('can be read in any colour', async () => {
      const { page, complaints } = await open({ colorScheme })
      await page.goto(yellow.url)
      await unfold(page)
      await screenshot(page, `landing-${colorScheme}-yellow`)
      await looksRight(page)
      expect(complaints).toEqual([])
    })

    test('can be read if the server is on the internet and requires tokens', async () => {
      const { page, complaints } = await open({ colorScheme })
      await page.goto(online.localUrl)
      await unfold(page)
      await screenshot(page, `landing-${colorScheme}-online`)
      await looksRight(page)
      const claude = page.getByRole('link', { name: 'Add to Claude' })
      expect(await claude.getAttribute('href')).toContain('connectorUrl=https%3A%2F%2Fassistant.')
      expect(complaints).toEqual([])
    })
  })

  test('is accessible to screen readers', async () => {
    const { page } = await open()
    await page.goto(app.url)
    expect(await page.title()).toBe(BRAND.APP_NAME)
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    await page.getByRole('banner').getByRole('heading', { level: 1 }).waitFor()
    for (const name of ['Address', 'Connect a client', 'Tools']) {
      await page.getByRole('main').getByRole('region', { name }).waitFor()
    }
    expect(await page.getByRole('contentinfo').getByRole('link', { name: 'Help' }).count()).toBe(1)
    const levels = await page
      .locator('h1, h2, h3')
      .evaluateAll((headings) => headings.map(({ tagName }) => Number(tagName.slice(1))))
    expect(levels[0]).toBe(1)
    for (const [index, level] of levels.entries()) {
      expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1)
    }
  })

  test('can be used with the keyboard, in reading order', async () => {
    const { page } = await open()
    await page.goto(app.url)
    const focused = page.locator(':focus')
    await page.keyboard.press('Tab')
    expect(await focused.textContent()).toBe('Skip to connecting a client')
    expect((await focused.boundingBox())?.y).toBeGreaterThanOrEqual(0)
    await page.keyboard.press('Enter')
    const seen: string[] = []
    for (;;) {
      await page.keyboard.press('Tab')
      const text = await focused.textContent({ timeout: 10_000 }).catch(() => null)
      if (text === null) break
      seen.push(text.trim().split(/\s{2,}/)[0] ?? '')
      expect(await page.evaluate(OUTLINE)).toMatch(/^solid [3-9]px$/)
      if (text.startsWith('Cursor')) await page.keyboard.press('Enter')
      if (text === 'Help') break
    }
    expect(seen.map((text) => text.replace(/ (one|and|in|for|the) .*/, ''))).toEqual([
      ...['Claude Code', 'Claude Desktop', 'Cursor', 'Add to Cursor', 'VS Code', 'ChatGPT'],
      ...['MCP Inspector', 'curl', 'Help'],
    ])
    await screenshot(page, 'landing-keyboard')
  })

  test('selects what is to be copied with one click, without JavaScript', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    await page.goto(app.url)
    await client(page, 'curl').locator('summary').click()
    expect(await client(page, 'curl').locator('pre').isVisible()).toBe(true)
    // Reading the selection takes a script, which is not part of the page.
    const { page: other } = await open()
    await other.goto(app.url)
    await client(other, 'Claude Code').locator('summary').click()
    await client(other, 'Claude Code').locator('pre').first().click()
    expect(await other.evaluate('String(getSelection())')).toBe(
      `claude mcp add --transport http example-bank-assistant ${app.url}/mcp`,
    )
  })

  test('shows a curl command that works', async () => {
    const { page } = await open()
    await page.goto(app.url)
    await client(page, 'curl').locator('summary').click()
    const command = await client(page, 'curl').locator('pre').textContent()
    const { stdout } = await run('sh', ['-euc', command ?? ''])
    expect(toolsIn(stdout)).toEqual(['login', 'logout', 'service', 'session'])
  })

  test('shows a curl command that works with a token, if one is required', async () => {
    const guarded = await startApp({ env: { MCP_AUTH: 'required' } })
    const { page } = await open()
    await page.goto(guarded.url)
    const command = (await client(page, 'curl').locator('pre').textContent()) ?? ''
    const { access_token: TOKEN } = await (await createOAuthClient(guarded.url)).connect()
    const { stdout } = await run('sh', ['-euc', command], { env: { ...process.env, TOKEN } })
    expect(toolsIn(stdout)).toContain('service')
    await expect(run('sh', ['-euc', command])).rejects.toThrow('TOKEN')
    await guarded.stop()
  })

  test('links to clients, and shows settings, that say where this server is', async () => {
    const { page } = await open()
    await page.goto(app.url)
    await unfold(page)
    const href = (name: string) => page.getByRole('link', { name }).getAttribute('href')
    const cursor = new URL((await href('Add to Cursor')) ?? '').searchParams.get('config') ?? ''
    expect(JSON.parse(Buffer.from(cursor, 'base64').toString())).toEqual({ url: `${app.url}/mcp` })
    const [, code = ''] = ((await href('Add to VS Code')) ?? '').split('?')
    const name = 'example-bank-assistant'
    const given = { name, type: 'http', url: `${app.url}/mcp` }
    expect(JSON.parse(decodeURIComponent(code))).toEqual(given)
    for (const editor of ['Cursor', 'VS Code']) {
      const [text = ''] = await client(page, editor).locator('pre').allInnerTexts()
      const [servers = {}] = Object.values<Record<string, object>>(JSON.parse(text))
      expect(servers[name]).toMatchObject({ url: `${app.url}/mcp` })
    }
  })
})

describeBrowser('the landing page of a user who has authorized a client', (open) => {
  test.each(['light', 'dark'] as const)(
    'says when they are signed in (%s)',
    async (colorScheme) => {
      const { page, complaints } = await authorizeAndSignIn(open, colorScheme)
      await page.goto(app.url)
      const row = page.locator('.client')
      expect(((await row.textContent()) ?? '').trim()).toMatch(/^My editor\s+Signed in$/)
      await screenshot(page, `landing-signed-in-${colorScheme}`)
      await looksRight(page)
      expect(complaints.filter((each) => !each.includes('net::ERR_'))).toEqual([])
      const { page: elsewhere } = await open()
      await elsewhere.goto(app.url)
      expect(await elsewhere.locator('.client').count()).toBe(0)
    },
  )
})

/** Authorizes a client with a browser, and signs in upstream for it. */
async function authorizeAndSignIn(open: OpenTab, colorScheme: 'light' | 'dark') {
  const metadata = { client_name: 'My editor', redirect_uris: [REDIRECT_URI] }
  const oauth = await createOAuthClient(app.url, { metadata })
  const tab = await open({ colorScheme })
  const { url, verifier } = oauth.request()
  await tab.page.goto(url.href)
  const answered = tab.page.waitForResponse((response) =>
    (response.headers().location ?? '').startsWith(REDIRECT_URI),
  )
  await tab.page.getByRole('button', { name: 'Allow' }).click()
  const called = new URL((await answered).headers().location ?? '')
  // Nothing listens there: the browser accepts the next URL only after its error page.
  await tab.page.waitForURL(/^chrome-error:/)
  const code = called.searchParams.get('code') ?? ''
  const { body } = await oauth.exchange({ code, verifier })
  const headers = { authorization: `Bearer ${body.access_token}` }
  const answer = await read(postModern(app.url, 'tools/call', { name: 'login' }, { headers }))
  const link = (answer.message.result as { structuredContent: { url: string } }).structuredContent
  await tab.page.goto(link.url)
  await tab.page.getByRole('button', { name: 'Continue' }).click()
  await screenshot(tab.page, `demo-sign-in-${colorScheme}`)
  await looksRight(tab.page)
  await tab.page.getByRole('button', { name: /Ada Lovelace/ }).click()
  await tab.page.getByRole('heading', { name: 'Login successful' }).waitFor()
  return tab
}
