/** Signs in like a user: with the link and the code, in a browser. */

import { expect } from 'vitest'
import { type Browser, createBrowser, type Page } from '../../src/testing/form-browser.ts'
import { structured } from './clients.ts'
import { postModern, read } from './wire.ts'

export { type Browser, createBrowser, type Page }

/** A browser that follows all redirects. */
export function newBrowser(): Browser {
  return createBrowser()
}

/** The result of `login`. */
export interface SignInLink {
  readonly url: string
  readonly code: string
  /** The session handle, for callers without other identification. */
  readonly session?: string
}

/** The same for a caller of the 2026 era. */
export interface Login extends SignInLink {
  readonly expiresAt: string
  readonly session: string
}

/** Calls `login` in the 2026 era. */
export async function login(url: string): Promise<Login> {
  const { message } = await read(postModern(url, 'tools/call', { name: 'login' }))
  return structured<Login>(message.result ?? {})
}

/** Calls a tool in the 2026 era with a session handle. */
export async function callWith(url: string, session: string, name: string) {
  const { message } = await read(postModern(url, 'tools/call', { name, arguments: { session } }))
  return message.result ?? {}
}

/** Whether the session of a handle is signed in, according to the tool `session`. */
export async function sessionState(url: string, session: string): Promise<string> {
  return structured<{ state: string }>(await callWith(url, session, 'session')).state
}

/** A code that is never valid. */
export const WRONG_CODE = 'ZZZZ-ZZZZ'

/** Submits the page's form without following the redirect. */
export function submitCode(
  link: string,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const body = new URLSearchParams({ code })
  return fetch(link, { method: 'POST', body, headers, redirect: 'manual' })
}

/** Opens the link and continues to the provider's sign-in page. */
export async function enterCode(browser: Browser, link: string, code: string): Promise<Page> {
  return browser.open(link, { code })
}

/** Performs the whole sign-in; returns the last page. */
export async function signInAs(
  browser: Browser,
  { url, code }: SignInLink,
  person = 'ada',
): Promise<Page> {
  const choice = await enterCode(browser, url, code)
  expect(choice.text).toContain('Who are you?')
  return browser.open(choice.url, { person })
}

/** The provider's redirect to the server, which is not followed. */
export async function stopBeforeCallback(
  app: { readonly url: string },
  { url, code }: SignInLink,
  form: Record<string, string> = { person: 'ada' },
): Promise<{ readonly browser: Browser; readonly callback: URL }> {
  const browser = createBrowser(`${app.url}/callback`)
  const choice = await enterCode(browser, url, code)
  const page = await browser.open(choice.url, form)
  expect(page.url.pathname).toBe('/callback')
  return { browser, callback: page.url }
}

/** The code from the message that asks a client's user to sign in. */
export function codeIn(message: string): string {
  return /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(message)?.[0] ?? ''
}
