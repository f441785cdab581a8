/** Mix-up attacks (RFC 9700, section 4.4): responses of one upstream at another's redirect URI. */

import { expect, test } from 'vitest'
import { errorCode } from '../support/clients.ts'
import { call, loginAt, type SeveralUpstreams, startSeveral } from '../support/several-upstreams.ts'
import { createBrowser, signInAs } from '../support/sign-in.ts'

/** The redirect URI to which the provider of an upstream sends the browser, not opened. */
async function beforeCallback({ url }: Pick<SeveralUpstreams, 'url'>, upstream: string) {
  const link = await loginAt(url, { upstream })
  const browser = createBrowser(`${url}/callback`)
  const choice = await browser.open(link.url, { code: link.code })
  const page = await browser.open(choice.url, { person: 'ada' })
  return { link, browser, callback: page.url }
}

const at = (url: URL, pathname: string) => Object.assign(new URL(url), { pathname })

test.each([
  ['staff', '/callback', 'staff_account', 400],
  ['staff', '/redirect', 'staff_account', 400],
  ['staff', '/callback/demo', 'staff_account', 400],
  ['staff', '/callback/tickets', 'staff_account', 400],
  ['staff', '/callback/orders', 'staff_account', 400],
  // No upstream has this name.
  ['staff', '/callback/nobody', 'staff_account', 404],
  ['demo', '/callback/staff', 'both', 400],
])('code and state of %s are refused at %s', async (upstream, path, tool, status) => {
  const several = await startSeveral()
  const { link, browser, callback } = await beforeCallback(several, upstream)
  const answer = await browser.open(at(callback, path))
  const refused = createBrowser()
  refused.cookies.push(...browser.cookies)
  const page = await refused.open(at(callback, path))
  expect([answer.status === 200 ? 200 : page.status, page.status]).toEqual([status, status])
  const { session } = link
  expect(errorCode(await call(several.url, tool, { session }))).toBe('login_required')
})

test('a code of one provider is not exchanged for the state of another', async () => {
  const several = await startSeveral()
  const honest = await beforeCallback(several, 'demo')
  const attacked = await beforeCallback(several, 'staff')
  const mixed = new URL(attacked.callback)
  mixed.searchParams.set('code', honest.callback.searchParams.get('code') ?? '')
  const browser = createBrowser()
  browser.cookies.push(...attacked.browser.cookies)
  expect((await browser.open(mixed)).text).toContain('Sign-in failed')
  expect(
    errorCode(await call(several.url, 'staff_account', { session: attacked.link.session })),
  ).toBe('login_required')
})

test.each(['https://evil.example', 'the other provider'])(
  'an iss of %s is refused',
  async (iss) => {
    const several = await startSeveral()
    const { browser, callback, link } = await beforeCallback(several, 'staff')
    callback.searchParams.set('iss', iss.startsWith('https') ? iss : `${several.url}/demo/idp`)
    const follow = createBrowser()
    follow.cookies.push(...browser.cookies)
    expect((await follow.open(callback)).text).toContain('Sign-in failed')
    expect(errorCode(await call(several.url, 'staff_account', { session: link.session }))).toBe(
      'login_required',
    )
  },
)

test('a sign-in at one upstream does not count at another', async () => {
  const { url } = await startSeveral()
  const link = await loginAt(url, { upstream: 'staff' })
  await signInAs(createBrowser(), link, 'ada')
  const { session } = link
  expect((await call(url, 'staff_account', { session })).isError).not.toBe(true)
  expect(errorCode(await call(url, 'both', { session }))).toBe('login_required')
})
