/**
 * Consent relay with `LOGIN=at-authorize`: one user's sign-in must not complete another's
 * authorization.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { LOGIN: 'at-authorize', RATE_LIMIT: 'off' }, store })
})
afterAll(() => app.stop())

/** An authorization with consent, up to the URL of the provider's page, which is not opened. */
async function underWay() {
  const client = await createOAuthClient(app.url)
  const asked = await client.openConsent()
  const cookie = asked.browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const left = await fetch(asked.page.url, {
    method: 'POST',
    headers: { cookie },
    body: new URLSearchParams({ decision: 'allow' }),
    redirect: 'manual',
  })
  const provider = left.headers.get('location') ?? ''
  const bindings = left.headers.getSetCookie().map((each) => each.split('; ')[0])
  return { client, ...asked, provider, cookies: [cookie, ...bindings].join('; ') }
}

const visit = (url: URL | string, cookie = '') =>
  fetch(url, { headers: { cookie }, redirect: 'manual' })

/** Signs in at the provider; stops before the redirect back. */
async function signInAt(provider: string): Promise<URL> {
  const browser = createBrowser(`${app.url}/callback`)
  const choice = await browser.open(provider)
  return (await browser.open(choice.url, { person: 'ada' })).url
}

describe("the provider's URL, sent to another user", () => {
  test('is refused at the callback; the state is consumed, and nobody is authorized', async () => {
    const attacker = await underWay()
    const victim = createBrowser(REDIRECT_URI)
    const choice = await victim.open(attacker.provider)
    const stopped = await victim.open(choice.url, { person: 'ada' })
    expect([stopped.status, stopped.url.pathname]).toEqual([403, '/callback'])
    const page = await visit(attacker.page.url, attacker.cookies)
    expect([page.status, page.headers.get('location')]).toEqual([200, null])
    expect(await page.text()).toContain('once you have signed in')
    // The attacker cannot use the victim's callback URL either.
    expect((await visit(stopped.url, attacker.cookies)).status).toBe(400)
  })

  test('is refused to a browser with its own pending authorization, too', async () => {
    const [attacker, victim] = [await underWay(), await underWay()]
    const callback = await signInAt(attacker.provider)
    expect((await visit(callback, victim.cookies)).status).toBe(403)
    for (const { page, cookies } of [attacker, victim]) {
      expect((await visit(page.url, cookies)).status).toBe(200)
    }
  })
})

describe("another user's authorization", () => {
  test('is not shown, resumed, approved or denied in another browser', async () => {
    const owner = await underWay()
    const callback = await signInAt(owner.provider)
    await visit(callback, owner.cookies)
    const stranger = await underWay()
    for (const cookie of ['', stranger.cookies]) {
      expect((await visit(owner.page.url, cookie)).status).toBe(410)
      for (const decision of ['allow', 'deny']) {
        const body = new URLSearchParams({ decision })
        const answer = await fetch(owner.page.url, { method: 'POST', headers: { cookie }, body })
        expect(answer.status).toBe(410)
        expect(answer.headers.getSetCookie()).toEqual([])
      }
    }
    const finished = await visit(owner.page.url, owner.cookies)
    expect([finished.status, finished.headers.get('location')]).toEqual([
      303,
      `${app.url}/authorize/${owner.page.url.pathname.split('/')[2]}`,
    ])
  })
})

describe('the parameters of the URL', () => {
  test.each(['signed_in', 'ok', '', '<b>x</b>', 'constructor'])(
    'prove nothing: sign_in=%s',
    async (value) => {
      const { page, cookies } = await underWay()
      const url = new URL(page.url)
      url.searchParams.set('sign_in', value)
      const shown = await visit(url, cookies)
      expect(shown.status).toBe(200)
      expect(await shown.text()).not.toContain('<b>x</b>')
    },
  )

  test('change nothing before the user has consented', async () => {
    const client = await createOAuthClient(app.url)
    const { page, browser } = await client.openConsent()
    const shown = await browser.open(`${page.url}?sign_in=access_denied`)
    expect(shown.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  })

  test('do not lead to a code before the sign-in', async () => {
    const { page, cookies } = await underWay()
    const resumed = await visit(`${app.url}/authorize/${page.url.pathname.split('/')[2]}`, cookies)
    expect(resumed.headers.get('location') ?? '').not.toContain('code=')
  })
})

test('the stored authorization discloses nothing, and ends with it', async () => {
  const from = written.length
  const { page, cookies } = await underWay()
  const uid = page.url.pathname.split('/')[2] ?? ''
  const approvals = written.slice(from).filter(({ key }) => key.startsWith('oauth:Approval:'))
  expect(approvals).toMatchObject([{ ttlSeconds: 900 }])
  const stored = JSON.stringify(approvals)
  expect(stored).not.toContain(uid)
  expect(stored).not.toContain('ses_')
  const log = app.lines.join('')
  for (const cookie of cookies.split('; ')) expect(log).not.toContain(cookie.split('=')[1])
})
