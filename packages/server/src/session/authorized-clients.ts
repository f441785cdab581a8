/** The clients a browser has authorized, for the page that shows whether the user is signed in. */

import type { Store } from '../store/port.ts'
import type { SessionManager } from './manager.ts'
import type { Session } from './record.ts'

export interface AuthorizedClient {
  /** The client's self-declared name. */
  readonly clientName: string | undefined
  readonly signedIn: boolean
}

export interface AuthorizedClientsDeps {
  readonly store: Store
  readonly sessions: Pick<SessionManager, 'peek'>
}

/** Bounds the sessions read per browser; older ones have most likely expired. */
const MOST_SESSIONS = 16

/** `browser` is the SHA-256 of the value in the browser's cookie. */
export type AuthorizedClients = ReturnType<typeof createAuthorizedClients>

/** Records expire `ttlSeconds` after the latest one: as long as the browser's cookie is valid. */
export function createAuthorizedClients(
  { store, sessions }: AuthorizedClientsDeps,
  { ttlSeconds }: { readonly ttlSeconds: number },
) {
  const key = (browser: string) => `browser:{${browser}}`

  async function sessionsOf(browser: string): Promise<readonly Session[]> {
    const notes = await store.streams.read(key(browser), '0')
    // A double click on Allow is recorded twice.
    const ids = new Set(notes.map(({ value }) => value).reverse())
    const latest = [...ids].slice(0, MOST_SESSIONS)
    const found = await Promise.all(latest.map((id) => sessions.peek(id)))
    return found.flatMap((session) => (session?.browser === browser ? [session] : []))
  }

  return {
    /** Records that this browser authorized a client for a session. */
    async remember(browser: string, sessionId: string): Promise<void> {
      await store.streams.append(key(browser), sessionId, { maxLength: MOST_SESSIONS, ttlSeconds })
    },
    /** The live sessions of these clients. */
    sessionsOf,
    /** Clients with a live session, newest first. Reads only: does not renew any session. */
    async of(browser: string): Promise<readonly AuthorizedClient[]> {
      return (await sessionsOf(browser)).map(({ client, state }) => ({
        clientName: client.clientName,
        signedIn: state === 'authenticated',
      }))
    },
  }
}
