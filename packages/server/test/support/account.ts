/** Simulates a user of the account page, and the tokens that the user creates there. */

import { expect } from 'vitest'
import { type Browser, createBrowser, type Page } from '../../src/testing/form-browser.ts'
import { structured } from './clients.ts'
import { withToken } from './token-app.ts'
import { postModern, read } from './wire.ts'

export const TOKEN = /mcp_pat_[0-9A-Za-z]{49}/

/** Signs in to the page at the demo's provider. */
export async function signInToAccount(
  url: string,
  person = 'ada',
  browser: Browser = createBrowser('http://127.0.0.1:'),
): Promise<{ readonly browser: Browser; readonly page: Page }> {
  const choice = await browser.open(`${url}/account`, { action: 'sign_in' })
  expect(choice.text).toContain('Who are you?')
  const page = await browser.open(choice.url, { person })
  expect([page.status, page.url.pathname]).toEqual([200, '/account'])
  return { browser, page }
}

export interface TokenForm {
  readonly name?: string
  readonly days?: string
  readonly scopes?: readonly string[]
}

/** Fills in the form for a new token. */
export function submitTokenForm(
  url: string,
  browser: Browser,
  { name = 'Nightly report', days = '7', scopes = ['mcp'] }: TokenForm = {},
): Promise<Page> {
  const form = new URLSearchParams({ action: 'make_token', name, days })
  for (const scope of scopes) form.append('scope', scope)
  return browser.open(`${url}/account`, form)
}

/** Signs in and creates a token. */
export async function makeToken(url: string, form: TokenForm = {}, person = 'ada') {
  const { browser } = await signInToAccount(url, person)
  const page = await submitTokenForm(url, browser, form)
  const token = TOKEN.exec(page.text)?.[0] ?? expect.fail(page.text)
  return { browser, page, token }
}

/** The ids in the forms of a section of the page, without duplicates. */
export function idsIn({ text }: Page, section: 'clients' | 'tokens'): readonly string[] {
  const part = text.split(`id="${section}"`)[1]?.split('</section>')[0] ?? ''
  return [...new Set([...part.matchAll(/name="id" value="([^"]+)"/g)].map(([, id]) => id ?? ''))]
}

export const openAccount = (url: string, browser: Browser) => browser.open(`${url}/account`)

/** The status of a call with a token. */
export async function statusWith(url: string, token: string): Promise<number> {
  return (await read(postModern(url, 'tools/list', {}, { headers: withToken(token) }))).status
}

/** The output or error of a tool called with a token. */
export async function callWith(url: string, token: string, name: string, input: object = {}) {
  const params = { name, arguments: input }
  const headers = withToken(token)
  const {
    status,
    message,
    headers: answered,
  } = await read(postModern(url, 'tools/call', params, { headers }))
  const result = (message?.result ?? {}) as { readonly isError?: boolean }
  return { status, message, isError: result.isError === true, output: structured(result), answered }
}
