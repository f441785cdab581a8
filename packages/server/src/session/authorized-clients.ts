/** Which clients a browser let in, for the one page that tells people whether they are signed in. */

import type { Store } from '../store/port.ts'
import type { SessionManager } from './manager.ts'
import type { Session } from './record.ts'

export interface AuthorizedClient {
  /** What it calls itself. */
  readonly clientName: string | undefined
  readonly signedIn: boolean
}

/** `browser` is the SHA-256 of the value in the browser's cookie. */
export interface AuthorizedClients {
  /** Notes that this browser let a client into a session. */
  remember(browser: string, sessionId: string): Promise<void>
  /** Those whose session lives, newest first. Looking does not count as use, and writes nothing. */
  of(browser: string): Promise<readonly AuthorizedClient[]>
  /** Their sessions. */
  sessionsOf(browser: string): Promise<readonly Session[]>
}

export interface AuthorizedClientsDeps {
  readonly store: Store
  readonly sessions: Pick<SessionManager, 'peek'>
}

/** More sessions of one browser are not looked at; the oldest have ended in all likelihood. */
const MOST_SESSIONS = 16

/** A note lives `ttlSeconds` from the last one on: as long as the browser is known. */
export function createAuthorizedClients(
  { store, sessions }: AuthorizedClientsDeps,
  { ttlSeconds }: { readonly ttlSeconds: number },
): AuthorizedClients {
  const key = (browser: string) => `browser:{${browser}}`

  async function sessionsOf(browser: string): Promise<readonly Session[]> {
    const notes = await store.streams.read(key(browser), '0')
    // Allow, pressed twice, is noted twice.
    const ids = new Set(notes.map(({ value }) => value).reverse())
    const found = await Promise.all([...ids].slice(0, MOST_SESSIONS).map(sessions.peek))
    return found.flatMap((session) => (session?.browser === browser ? [session] : []))
  }

  return {
    async remember(browser, sessionId) {
      await store.streams.append(key(browser), sessionId, { maxLength: MOST_SESSIONS, ttlSeconds })
    },
    sessionsOf,
    async of(browser) {
      return (await sessionsOf(browser)).map(({ client, state }) => ({
        clientName: client.clientName,
        signedIn: state === 'authenticated',
      }))
    },
  }
}
