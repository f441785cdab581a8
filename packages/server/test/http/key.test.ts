/** `/key/…`: pasting a key for an API without OAuth, and its storage. */

import { describe, expect, test } from 'vitest'
import { errorCode, structured } from '../support/clients.ts'
import { expectPageParts } from '../support/page-parts.ts'
import { recordingStore } from '../support/recording-store.ts'
import {
  call,
  GOOD_KEY,
  loginAt,
  OTHER_KEY,
  type SeveralUpstreams,
  startSeveral,
} from '../support/several-upstreams.ts'
import {
  type Browser,
  type Login,
  newBrowser,
  type Page,
  type SignInLink,
} from '../support/sign-in.ts'

/** Enters the code of the link; returns the page with the field for the key. */
async function keyPage(link: SignInLink, browser: Browser = newBrowser()): Promise<Page> {
  const page = await browser.open(link.url, { code: link.code })
  expect(page.url.pathname).toMatch(/^\/key\/tickets\/[\w-]{43}$/)
  expect(page.status).toBe(200)
  const title = 'Paste your key – several'
  expectPageParts(page, { heading: 'Paste your key', title, buttons: ['Continue'] })
  return page
}

/** Submits the form of a page; follows redirects. */
function paste(browser: Browser, page: Page, key: string): Promise<Page> {
  const action = /<form method="post"(?: action="([^"]*)")?/.exec(page.text)?.[1]
  return browser.open(new URL(action ?? page.url.href, page.url), { key })
}

async function signedIn({ url }: Pick<SeveralUpstreams, 'url'>, key = GOOD_KEY): Promise<Login> {
  const link = await loginAt(url, { upstream: 'tickets' })
  const browser = newBrowser()
  const end = await paste(browser, await keyPage(link, browser), key)
  expect(end.text).toContain('Key accepted')
  return link
}

describe('the page', () => {
  test('has one password field, no script, and is not cached', async () => {
    const { url, ticketsApi } = await startSeveral()
    const page = await keyPage(await loginAt(url, { upstream: 'tickets' }))
    expect(page.text.match(/<input/g)).toHaveLength(1)
    expect(page.text).toMatch(/<input[^>]*type="password"[^>]*autocomplete="off"/)
    expect(page.text).toContain(new URL(ticketsApi.origin).host)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(page.headers.get('x-frame-options')).toBe('DENY')
  })

  test('accepts a key, checks it with one request in its header, and the tool continues', async () => {
    const several = await startSeveral()
    const { url, ticketsApi } = several
    const { session } = await signedIn(several)
    expect(
      ticketsApi.seen.map((each) => [each.method, each.url, each.headers['x-tickets-auth']]),
    ).toEqual([['GET', '/me', `Token ${GOOD_KEY}`]])
    const result = await call(url, 'tickets', { session })
    expect(result.isError).not.toBe(true)
    expect(ticketsApi.seen.at(-1)?.headers['x-tickets-auth']).toBe(`Token ${GOOD_KEY}`)
    expect(ticketsApi.seen.at(-1)?.headers.authorization).toBeUndefined()
  })

  test('accepts a key with white space around it', async () => {
    const several = await startSeveral()
    await signedIn(several, `  ${GOOD_KEY} `)
    expect(several.ticketsApi.seen[0]?.headers['x-tickets-auth']).toBe(`Token ${GOOD_KEY}`)
  })

  test('reports that the API refuses a key, and allows five attempts', async () => {
    const { url } = await startSeveral()
    const link = await loginAt(url, { upstream: 'tickets' })
    const browser = newBrowser()
    let page = await keyPage(link, browser)
    for (const left of [4, 3, 2, 1]) {
      page = await paste(browser, page, 'wrong-key-0123')
      expect(page.status).toBe(422)
      expect(page.text).toContain('refuses this key')
      expect(page.text).toContain(`Tries left: ${left}.`)
      expect(page.text).not.toContain('wrong-key-0123')
    }
    page = await paste(browser, page, 'wrong-key-0123')
    expect([page.status, page.text]).toEqual([429, expect.stringContaining('Too many keys')])
    expect(errorCode(await call(url, 'tickets', { session: link.session }))).toBe('login_required')
  })

  test('reports that the API does not answer, and does not store the key', async () => {
    const { url, ticketsApi, server } = await startSeveral()
    ticketsApi.status = 404
    const browser = newBrowser()
    const link = await loginAt(url, { upstream: 'tickets' })
    const page = await paste(browser, await keyPage(link, browser), GOOD_KEY)
    expect([page.status, page.text]).toEqual([502, expect.stringContaining('does not answer')])
    expect(server.log().find(({ msg }) => msg === 'pasted key not checked')).toMatchObject({
      upstream: 'tickets',
      status: 404,
    })
    ticketsApi.status = undefined
    expect((await paste(browser, page, GOOD_KEY)).text).toContain('Key accepted')
  })
})

describe('a key', () => {
  test('is not in logs, responses, pages or the store', async () => {
    const { store, written } = recordingStore()
    const several = await startSeveral({}, store)
    const { url, server } = several
    const { session } = await signedIn(several)
    const result = await call(url, 'tickets', { session })
    const page = await fetch(`${url}/metrics`)
    const seen = JSON.stringify([server.log(), result, written, await page.text()])
    expect(seen).not.toContain(GOOD_KEY)
    expect(JSON.stringify(result)).toContain('for Token ')
  })

  test('that the API refuses later is removed, and requested again', async () => {
    const several = await startSeveral()
    const { url, ticketsApi } = several
    const { session } = await signedIn(several)
    ticketsApi.keys.delete(GOOD_KEY)
    const refused = await call(url, 'tickets', { session })
    expect(errorCode(refused)).toBe('login_required')
    expect(JSON.stringify(refused)).toContain('no longer accepted')
    const asked = ticketsApi.seen.length
    expect(errorCode(await call(url, 'tickets', { session }))).toBe('login_required')
    expect(ticketsApi.seen).toHaveLength(asked)
    const link = await loginAt(url, { upstream: 'tickets', session })
    const browser = newBrowser()
    await paste(browser, await keyPage(link, browser), OTHER_KEY)
    expect((await call(url, 'tickets', { session })).isError).not.toBe(true)
  })

  test('stays if the API forbids a single operation', async () => {
    const several = await startSeveral()
    const { session } = await signedIn(several)
    const forbidden = await call(several.url, 'tickets', { session, path: '/forbidden' })
    expect(errorCode(forbidden)).toBe('upstream_rejected')
    expect((await call(several.url, 'tickets', { session })).isError).not.toBe(true)
  })

  test('is deleted by logout', async () => {
    const several = await startSeveral()
    const { url } = several
    const { session } = await signedIn(several)
    expect(structured(await call(url, 'logout', { session }))).toEqual({ ended: true })
    expect(errorCode(await call(url, 'tickets', { session }))).toBe('session_not_found')
  })
})
