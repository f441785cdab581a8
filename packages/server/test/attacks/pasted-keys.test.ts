/** Attacks on the page for API keys: other browsers, replays, CSRF, and invalid keys. */

import { expect, test } from 'vitest'
import { errorCode } from '../support/clients.ts'
import { call, GOOD_KEY, loginAt, startSeveral } from '../support/several-upstreams.ts'
import { type Browser, newBrowser, submitCode, WRONG_CODE } from '../support/sign-in.ts'

async function pageOf(url: string) {
  const link = await loginAt(url, { upstream: 'tickets' })
  const browser = newBrowser()
  const page = await browser.open(link.url, { code: link.code })
  return { link, browser, page: page.url }
}

const cookieOf = ({ cookies }: Browser) =>
  cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

function post(page: URL, headers: Record<string, string>, body: URLSearchParams | string) {
  return fetch(page, { method: 'POST', headers, body, redirect: 'manual' })
}

const form = (key: string) => new URLSearchParams({ key })

test('another browser that has the URL of the page is refused', async () => {
  const { url, ticketsApi } = await startSeveral()
  const { link, browser, page } = await pageOf(url)
  const other = newBrowser()
  expect((await other.open(page)).status).toBe(403)
  expect((await other.open(page, { key: GOOD_KEY })).status).toBe(403)
  // The URL is consumed, also for the browser that came from the link.
  expect((await browser.open(page, { key: GOOD_KEY })).status).toBe(410)
  expect(ticketsApi.seen).toEqual([])
  expect(errorCode(await call(url, 'tickets', { session: link.session }))).toBe('login_required')
})

test('a used link or page is invalid', async () => {
  const { url } = await startSeveral()
  const { link, browser, page } = await pageOf(url)
  expect((await browser.open(link.url, { code: link.code })).status).toBe(410)
  expect((await browser.open(page, { key: GOOD_KEY })).text).toContain('Key accepted')
  expect((await browser.open(page, { key: GOOD_KEY })).status).toBe(410)
  expect((await browser.open(page)).status).toBe(410)
})

test('a wrong code does not lead to the page', async () => {
  const { url } = await startSeveral()
  const { url: link } = await loginAt(url, { upstream: 'tickets' })
  const refused = await submitCode(link, WRONG_CODE)
  expect([refused.status, refused.headers.get('location')]).toEqual([422, null])
})

test('of twenty concurrent keys one is accepted', async () => {
  const { url, ticketsApi } = await startSeveral()
  const { browser, page } = await pageOf(url)
  const headers = { cookie: cookieOf(browser) }
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post(page, headers, form(GOOD_KEY))),
  )
  const statuses = answers.map(({ status }) => status).sort()
  expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 410)])
  expect(ticketsApi.seen).toHaveLength(1)
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['another port', { 'sec-fetch-site': 'same-site' }],
  ['a browser that sends Origin alone', { origin: 'https://evil.example' }],
  ['a page without an origin', { origin: 'null' }],
])('a form from %s is refused, and the page stays valid', async (_from, headers) => {
  const { url, ticketsApi } = await startSeveral()
  const { browser, page } = await pageOf(url)
  const cookie = cookieOf(browser)
  expect((await post(page, { ...headers, cookie }, form(GOOD_KEY))).status).toBe(403)
  expect(ticketsApi.seen).toEqual([])
  expect((await browser.open(page, { key: GOOD_KEY })).text).toContain('Key accepted')
})

test('a body that is not our form is refused, and does not consume the page', async () => {
  const { url, ticketsApi } = await startSeveral()
  const { browser, page } = await pageOf(url)
  const cookie = cookieOf(browser)
  const json = { cookie, 'content-type': 'application/json' }
  expect((await post(page, json, JSON.stringify({ key: GOOD_KEY }))).status).toBe(415)
  const twice = new URLSearchParams([
    ['key', GOOD_KEY],
    ['key', 'other'],
  ])
  expect((await post(page, { cookie }, twice)).status).toBe(400)
  expect((await post(page, { cookie }, form('x'.repeat(10_000)))).status).toBe(413)
  expect(ticketsApi.seen).toEqual([])
  expect((await browser.open(page, { key: GOOD_KEY })).text).toContain('Key accepted')
})

test.each([
  ['CR LF', `${GOOD_KEY}\r\nX-Admin: 1`],
  ['LF', `${GOOD_KEY}\nX-Admin: 1`],
  ['a space', 'two words'],
  ['NUL', `${GOOD_KEY}\0`],
  ['no ASCII', 'schlüssel-0123456'],
  ['a lone surrogate', '\ud800-0123456789'],
  ['nothing', ''],
  ['white space', ' \t '],
  ['3,000 characters', 'k'.repeat(3000)],
])('a key with %s is not sent', async (_what, key) => {
  const { url, ticketsApi } = await startSeveral()
  const { browser, page } = await pageOf(url)
  const answer = await browser.open(page, { key })
  expect([answer.status, answer.text]).toEqual([422, expect.stringContaining('not a key')])
  expect(ticketsApi.seen).toEqual([])
})

test('a key that looks like a replacement pattern is sent as it is', async () => {
  const { url, ticketsApi } = await startSeveral()
  ticketsApi.keys.add("$&$1$'key")
  const { browser, page } = await pageOf(url)
  expect((await browser.open(page, { key: "$&$1$'key" })).text).toContain('Key accepted')
})

test('unknown upstreams and states are invalid', async () => {
  const { url } = await startSeveral()
  const { browser, page } = await pageOf(url)
  const state = page.pathname.split('/').at(-1)
  for (const path of [
    '/key/staff/',
    '/key/orders/',
    '/key/nobody/',
    '/key/__proto__/',
    '/key/demo/',
  ]) {
    expect((await browser.open(new URL(`${path}${state}`, url))).status).toBe(410)
    expect((await browser.open(new URL(`${path}${state}`, url), { key: GOOD_KEY })).status).toBe(
      410,
    )
  }
  // It is not valid at a redirect URI either.
  const callback = await browser.open(new URL(`/callback/tickets?code=x&state=${state}`, url))
  expect(callback.status).toBe(400)
  expect((await browser.open(page, { key: GOOD_KEY })).text).toContain('Key accepted')
})

test('a key for an ended session is not stored', async () => {
  const { url } = await startSeveral()
  const { link, browser, page } = await pageOf(url)
  await call(url, 'logout', { session: link.session })
  expect((await browser.open(page, { key: GOOD_KEY })).status).toBe(410)
})
