/** Signing in upstream in a real browser, with mouse or keyboard, on any screen. */

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { describeBrowser, faintTexts, screenshot, scrollsSideways } from '../support/browser.ts'
import { structured } from '../support/clients.ts'
import { callWith, login, type SignInLink } from '../support/sign-in.ts'

const NAME = 'Example Bank Assistant'
const WRONG = 'ZZZZ-ZZZZ'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { APP_NAME: NAME } })
})
afterAll(() => app.stop())

const codeField = (page: Page) => page.getByLabel('Code from your chat')

async function enterCode(page: Page, { url, code }: SignInLink): Promise<void> {
  await page.goto(url)
  await codeField(page).fill(code)
  await page.getByRole('button', { name: 'Continue to sign in' }).click()
}

async function arrived(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1, name: 'Login successful' }).waitFor()
}

describeBrowser('signing in', (open) => {
  test('with the code from the chat, after which the tool works', async () => {
    const link = await login(app.url)
    const { page, origins, complaints, context } = await open()
    await enterCode(page, link)
    await page.getByRole('button', { name: /Ada Lovelace/ }).click()
    await arrived(page)
    expect(await page.getByRole('main').textContent()).toContain('Ada Lovelace')
    expect(structured(await callWith(app.url, link.session, 'service'))).toMatchObject({
      owner: 'Ada Lovelace',
    })
    expect([...origins]).toEqual([app.url])
    expect(complaints).toEqual([])
    const left = (await context.cookies()).map(({ name }) => name)
    expect(left.filter((name) => name.includes('mcp-sign-in'))).toEqual([])
  })

  test('with the keyboard alone', async () => {
    const link = await login(app.url)
    const { page } = await open()
    await page.goto(link.url)
    await page.locator('#code:focus').waitFor()
    await page.keyboard.type(link.code.toLowerCase())
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await arrived(page)
    expect(structured(await callWith(app.url, link.session, 'session'))).toMatchObject({
      state: 'authenticated',
    })
  })

  test('without JavaScript', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    await enterCode(page, await login(app.url))
    await page.getByRole('button', { name: /Grace Hopper/ }).click()
    await arrived(page)
  })

  test('after a wrong code', async () => {
    const link = await login(app.url)
    const { page, complaints } = await open()
    await enterCode(page, { ...link, code: WRONG })
    expect(await page.getByRole('alert').textContent()).toContain('Tries left: 4.')
    await screenshot(page, 'sign-in-wrong-code')
    await codeField(page).fill(link.code)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('ends when the user declines, and says how to continue', async () => {
    const { page } = await open()
    await enterCode(page, await login(app.url))
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('heading', { name: 'Sign-in failed' }).waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('cancelled or refused')
    await screenshot(page, 'sign-in-cancelled')
  })

  test('is offered once by each link', async () => {
    const link = await login(app.url)
    const { page } = await open()
    await enterCode(page, link)
    const response = await page.goto(link.url)
    expect(response?.status()).toBe(410)
    await page.getByRole('heading', { name: 'This link has expired or was already used' }).waitFor()
    expect(await codeField(page).count()).toBe(0)
    await screenshot(page, 'sign-in-used-link')
  })

  test('leads from an unknown address to the start page, with the keyboard alone', async () => {
    const { page } = await open()
    const response = await page.goto(`${app.url}/nothing`)
    expect(response?.status()).toBe(404)
    await page.getByRole('heading', { level: 1, name: 'Page not found' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${app.url}/`)
    await page.getByRole('heading', { level: 1, name: NAME }).waitFor()
  })

  describe('the page of a link', () => {
    test('is accessible to screen readers', async () => {
      const { page } = await open()
      await page.goto((await login(app.url)).url)
      expect(await page.title()).toBe(`Sign in – ${NAME}`)
      expect(await page.getByRole('banner').textContent()).toBe(NAME)
      await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
      const field = page.getByRole('textbox', { name: 'Code from your chat' })
      expect(await field.getAttribute('aria-describedby')).toBe('why')
      await page.locator('#code:focus').waitFor()
      expect(await page.locator('#why').textContent()).toContain('Continue only if')
      expect(await page.getByRole('button').count()).toBe(1)
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
    })

    describe.each(['light', 'dark'] as const)('on a %s screen', (colorScheme) => {
      test.each([
        ['wide', 1280, 800],
        ['small', 375, 667],
      ])('that is %s can be read, and fits', async (size, width, height) => {
        const link = await login(app.url)
        const { page, complaints } = await open({ colorScheme, viewport: { width, height } })
        const look = async (name: string) => {
          await screenshot(page, `${name}-${colorScheme}-${size}`)
          expect(await scrollsSideways(page)).toBe(false)
          expect(await faintTexts(page)).toEqual([])
        }
        await page.goto(link.url)
        await look('sign-in')
        await codeField(page).fill(link.code)
        await page.keyboard.press('Enter')
        await page.getByRole('button', { name: /Ada Lovelace/ }).click()
        await arrived(page)
        await look('signed-in')
        await page.goto(link.url)
        await look('link-used')
        await page.goto(`${app.url}/callback?state=unknown`)
        await look('sign-in-failed')
        await page.goto(`${app.url}/authorize?client_id=nobody`)
        await look('authorization-failed')
        await page.goto(`${app.url}/nothing`)
        await look('not-found')
        expect(complaints).toEqual([])
      })
    })
  })
})
