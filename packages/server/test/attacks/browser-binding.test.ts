/** Sign-in links of authorized clients, used in another browser, from another page, or twice. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeClient, submitWithoutCode } from '../support/consented-client.ts'
import { recordingStore } from '../support/recording-store.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterAll(() => app.stop())

/** Sign-ins that were redirected to the provider. */
const departures = () => written.filter(({ key }) => key.startsWith('sign-in-state:')).length

describe('the link of another user', () => {
  test('requires the code from another browser that has authorized a client', async () => {
    const [attacker, victim] = [await authorizeClient(app), await authorizeClient(app)]
    const before = departures()
    const shown = await fetch(attacker.url, { headers: { cookie: victim.cookie } })
    expect(await shown.text()).toContain('Code from your chat')
    for (let count = 0; count < 6; count += 1) {
      const response = await submitWithoutCode(attacker.url, {
        cookie: victim.cookie,
        origin: app.url,
      })
      expect(response.status).toBe(403)
      expect(await response.text()).toContain('Code from your chat')
      expect(response.headers.getSetCookie()).toEqual([])
    }
    expect(departures()).toBe(before)
    // It used up none of the owner's attempts either.
    expect((await submitWithoutCode(attacker.url, { cookie: attacker.cookie })).status).toBe(303)
  })

  test.each([
    ['no cookie', () => ''],
    ['an empty one', () => 'mcp-browser='],
    ['the hash of the right one', (_value: string, hash: string) => `mcp-browser=${hash}`],
    ['the right one cut off', (value: string) => `mcp-browser=${value.slice(0, -1)}`],
    ['the right one under another name', (value: string) => `browser=${value}`],
    ['a wrong one first', (value: string) => `mcp-browser=${'A'.repeat(43)}; mcp-browser=${value}`],
  ])('is not opened with %s', async (_what, cookieOf) => {
    const { url, browser, sessions, sessionId } = await authorizeClient(app)
    const { browser: hash = '' } = (await sessions.peek(sessionId)) ?? {}
    expect((await submitWithoutCode(url, { cookie: cookieOf(browser, hash) })).status).toBe(403)
  })
})

describe('the right browser', () => {
  test('does not continue for a form on a page of another site or port', async () => {
    const { url, cookie } = await authorizeClient(app)
    const before = departures()
    for (const headers of [
      { origin: 'https://evil.com', 'sec-fetch-site': 'cross-site' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
      { origin: 'http://localhost:1' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-origin, cross-site' },
    ]) {
      expect(
        (await submitWithoutCode(url, { cookie, ...headers } as Record<string, string>)).status,
      ).toBe(403)
    }
    expect(departures()).toBe(before)
    const own = { origin: app.url, 'sec-fetch-site': 'same-origin' }
    expect((await submitWithoutCode(url, { cookie, ...own })).status).toBe(303)
  })

  test('of twenty concurrent uses one succeeds', async () => {
    const { url, cookie } = await authorizeClient(app)
    const all = await Promise.all(
      Array.from({ length: 20 }, () => submitWithoutCode(url, { cookie })),
    )
    expect(all.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 410)).toHaveLength(19)
    expect((await submitWithoutCode(url, { cookie })).status).toBe(410)
  })

  test('is refused with an edited link', async () => {
    const { url, cookie } = await authorizeClient(app)
    const last = url.endsWith('A') ? 'B' : 'A'
    for (const edited of [`${url.slice(0, -1)}${last}`, url.slice(0, -1), `${url}A`]) {
      expect((await fetch(edited, { headers: { cookie } })).status).toBe(410)
      expect((await submitWithoutCode(edited, { cookie })).status).toBe(410)
    }
  })

  test('is refused after too many wrong codes', async () => {
    const { url, cookie } = await authorizeClient(app)
    for (let count = 0; count < 5; count += 1) {
      await fetch(url, { method: 'POST', body: new URLSearchParams({ code: 'ZZZZ-ZZZZ' }) })
    }
    expect((await submitWithoutCode(url, { cookie })).status).toBe(410)
  })
})

test("the value of the browser's cookie is in no page, no log, and not in the store", async () => {
  const { url, browser, cookie } = await authorizeClient(app)
  const page = await (await fetch(url, { headers: { cookie } })).text()
  await submitWithoutCode(url, { cookie })
  for (const place of [page, app.lines.join(''), JSON.stringify(written)]) {
    expect(place).not.toContain(browser)
  }
})
