/** Sessions as consent leaves them: a browser said yes to a client, which then calls `login`. */

import { sha256 } from '../../src/crypto/hash.ts'
import { randomValue } from '../../src/crypto/random-id.ts'
import { createSessionManager, type SessionManager } from '../../src/session/manager.ts'
import { createSignInLinks } from '../../src/session/sign-in-link.ts'
import type { TestApp } from './app.ts'

export interface ConsentedClient {
  readonly sessions: SessionManager
  readonly sessionId: string
  /** What the browser holds in its cookie. */
  readonly browser: string
  readonly cookie: string
  readonly url: string
  readonly code: string
}

/** `browser` is one that has authorized clients before; a new one if left out. */
export async function authorizeClient(
  { store, url }: Pick<TestApp, 'store' | 'url'>,
  browser = randomValue(),
): Promise<ConsentedClient> {
  const sessions = createSessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
  const { id: sessionId } = await sessions.create('token', { clientName: 'A consented client' })
  await sessions.update(sessionId, 'browser', sha256(browser))
  const links = createSignInLinks({ store, now: Date.now }, { ttlSeconds: 600 })
  const { handle, code } = await links.issue(sessionId, 'A consented client')
  const cookie = `${url.startsWith('https:') ? '__Host-' : ''}mcp-browser=${browser}`
  return { sessions, sessionId, browser, cookie, url: `${url}/connect/${handle}`, code }
}

/** Presses the one button, as the page has it: with no code. */
export function goOn(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: new URLSearchParams(),
    headers: { ...headers },
    redirect: 'manual',
  })
}
