/** API keys that users paste on the page of a sign-in link: checked once, stored in the session. */

import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import {
  type BindingCookie,
  newCheck,
  type PendingSignIn,
  type PendingSignIns,
} from './pending-sign-in.ts'

/** Attempts per link, to prevent brute-force guessing of keys through this server. */
const MOST_TRIES = 5

const LONGEST_KEY = 2048

export type KeyVerdict = 'accepted' | 'refused' | 'unavailable'

/** Checks with one API request whether a key is valid. */
export type CheckKey = (key: string) => Promise<KeyVerdict>

type ReadCookie = (name: string) => string | undefined

/** The request that the page shows. */
export interface KeyRequest {
  /** Self-declared name of the requesting client. */
  readonly clientName: string
}

export type KeyView =
  | ({ readonly outcome: 'ask' } & KeyRequest)
  /** The binding cookie is missing: not the browser that followed the link. */
  | { readonly outcome: 'other_browser' }
  /** Unknown, expired or used. */
  | { readonly outcome: 'unknown_state' }

/** The next attempt's form: each attempt has its own URL and its own cookie. */
interface NextTry extends KeyRequest {
  readonly state: string
  readonly cookie: BindingCookie
  readonly triesLeft: number
}

/** `session` is a hash, for logs. */
export type KeyOutcome = (
  | { readonly outcome: 'signed_in'; readonly clientName: string }
  | ({ readonly outcome: 'malformed' | 'refused' | 'unavailable' } & NextTry)
  /** No attempts are left. */
  | { readonly outcome: 'too_many_tries' }
  | { readonly outcome: 'session_ended' }
  | Exclude<KeyView, { readonly outcome: 'ask' }>
) & { readonly session?: string }

export interface KeyEntryDeps {
  readonly store: Store
  readonly credentials: CredentialStore
  readonly pendingSignIns: PendingSignIns
  readonly checkKey: CheckKey
  readonly log: Pick<Logger, 'info'>
  /** The upstream, for the log. */
  readonly upstream: string
}

export type KeyEntry = ReturnType<typeof createKeyEntry>

export function createKeyEntry(deps: KeyEntryDeps) {
  const { pendingSignIns, checkKey } = deps

  return {
    /** Reads the page's state without consuming it. `cookie` reads a cookie by name. */
    async describe(state: string, cookie: ReadCookie): Promise<KeyView> {
      const pending = await pendingSignIns.peek(state, cookie)
      if (pending === undefined) return { outcome: 'unknown_state' }
      if (!pending.sameBrowser) return { outcome: 'other_browser' }
      return { outcome: 'ask', clientName: pending.clientName }
    },
    /**
     * Accepts a pasted key; `state` is single-use, so one of several concurrent submissions counts.
     * @throws AppError `too_many_requests` when `storage` is exhausted
     */
    async submit(
      state: string,
      given: string,
      cookie: ReadCookie,
      storage?: StorageBudget,
    ): Promise<KeyOutcome> {
      const pending = await pendingSignIns.recall(state, cookie)
      if (pending === undefined) return { outcome: 'unknown_state' }
      const session = shortHash(pending.sessionId)
      if (!pending.sameBrowser) return { outcome: 'other_browser', session }
      const key = given.trim()
      if (!isKey(key)) return askAgain(deps, 'malformed', pending, storage)
      const verdict = await checkKey(key)
      if (verdict !== 'accepted') return askAgain(deps, verdict, pending, storage)
      const kept = await keep(deps, pending.sessionId, state, key)
      if (!kept) return { outcome: 'session_ended', session }
      return { outcome: 'signed_in', clientName: pending.clientName, session }
    },
  }
}

/** Offers the next attempt, if any is left. */
async function askAgain(
  { pendingSignIns, log, upstream }: KeyEntryDeps,
  outcome: 'malformed' | 'refused' | 'unavailable',
  pending: PendingSignIn,
  storage: StorageBudget | undefined,
): Promise<KeyOutcome> {
  const { sessionId, clientName } = pending
  const session = shortHash(sessionId)
  log.info({ outcome, session, upstream }, 'pasted key not accepted')
  const triesLeft = (pending.triesLeft ?? MOST_TRIES) - 1
  if (triesLeft < 1) return { outcome: 'too_many_tries', session }
  const check = newCheck()
  const purpose = { sessionId, clientName, triesLeft }
  const cookie = await pendingSignIns.remember(check, purpose, storage)
  return { outcome, clientName, state: check.state, cookie, triesLeft, session }
}

async function keep(
  { store, credentials }: KeyEntryDeps,
  sessionId: string,
  state: string,
  accessToken: string,
): Promise<boolean> {
  const fence = await newestFence(store, sessionId, state)
  return credentials.write(sessionId, { accessToken }, fence)
}

/** Visible ASCII, valid in a header (RFC 9110, 5.5); line breaks would allow header injection. */
function isKey(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && text.length <= LONGEST_KEY
}
