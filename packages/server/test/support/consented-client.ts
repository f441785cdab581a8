/** Sessions of clients that a browser has authorized, and that then call `login`. */

import { sha256 } from '../../src/crypto/hash.ts'
import { randomValue } from '../../src/crypto/random-id.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createSignInLinks } from '../../src/session/sign-in-link.ts'
import type { TestApp } from './app.ts'

export interface ConsentedClient {
  readonly sessions: SessionManager
  readonly sessionId: string
  /** The value of the browser's cookie. */
  readonly browser: string
  readonly cookie: string
  readonly url: string
  readonly code: string
}

/** `browser` is one that has authorized clients before; a new one by default. */
export async function authorizeClient(
  { store, url }: Pick<TestApp, 'store' | 'url'>,
  browser = randomValue(),
): Promise<ConsentedClient> {
  const sessions = new SessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
  const { id: sessionId } = await sessions.create('token', { clientName: 'A consented client' })
  await sessions.update(sessionId, 'browser', sha256(browser))
  const links = createSignInLinks({ store, now: Date.now }, { ttlSeconds: 600 })
  const { handle, code } = await links.issue(sessionId, 'A consented client')
  const cookie = `${url.startsWith('https:') ? '__Host-' : ''}mcp-browser=${browser}`
  return { sessions, sessionId, browser, cookie, url: `${url}/connect/${handle}`, code }
}

/** Submits the page's form without a code. */
export function submitWithoutCode(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: new URLSearchParams(),
    headers: { ...headers },
    redirect: 'manual',
  })
}
