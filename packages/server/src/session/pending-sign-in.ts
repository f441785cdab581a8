/** Sign-ins that are under way: what waits in the store for the browser's return, sealed. */

import { sha256, shortHash, timingSafeEqualStrings } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import { randomValue } from '../crypto/random-id.ts'
import type { Store } from '../store/port.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'
import type { SignInCheck } from '../upstream/identity-provider.ts'

const PURPOSE = 'sign-in'

/** Ties the callback to the browser that started: set before the redirect, checked after it. */
export interface BindingCookie {
  readonly name: string
  readonly value: string
  readonly maxAgeSeconds: number
  /** Whether it may travel over https alone. */
  readonly secure: boolean
  /** The path it is sent below; the whole host if empty. */
  readonly basePath: string
}

/** What is signed in for, and where the browser goes afterwards. */
export interface SignInPurpose {
  readonly sessionId: string
  /** What the client that asked calls itself. */
  readonly clientName: string
  /** A path of this server, such as `/consent/…`; absent for the page that says how it went. */
  readonly returnTo?: string | undefined
  /** How often a key may still be pasted, where one is; undefined where none was tried. */
  readonly triesLeft?: number | undefined
}

export interface PendingSignIn extends SignInPurpose {
  readonly check: SignInCheck
  /** Whether the browser that returned is the one that left. */
  readonly sameBrowser: boolean
}

export interface PendingSignIns {
  /**
   * Keeps a sign-in under its `state`; the cookie is for the browser that leaves.
   * @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then
   */
  remember(
    check: SignInCheck,
    purpose: SignInPurpose,
    storage?: StorageBudget,
  ): Promise<BindingCookie>
  /** What `recall` would give, which leaves it where it is. */
  look(
    state: string,
    cookie: (name: string) => string | undefined,
  ): Promise<PendingSignIn | undefined>
  /** Takes it out, once. `cookie` reads a cookie by name. Undefined: unknown, expired or used. */
  recall(
    state: string,
    cookie: (name: string) => string | undefined,
  ): Promise<PendingSignIn | undefined>
}

interface Kept extends SignInPurpose {
  readonly check: SignInCheck
  readonly cookie: string
}

interface Sealed {
  readonly [field: string]: unknown
  readonly sealed: string
}

export interface PendingSignInOptions extends Pick<BindingCookie, 'secure' | 'basePath'> {
  readonly ttlSeconds: number
  /** The further upstream that people sign in at; absent for the first. */
  readonly upstream?: string | undefined
}

export function createPendingSignIns(
  { store, keyRing }: { readonly store: Store; readonly keyRing: KeyRing },
  { secure, basePath, ttlSeconds, upstream }: PendingSignInOptions,
): PendingSignIns {
  const key = (state: string) => `sign-in-state:{${sha256(state)}}`
  // RFC 9700, 4.4: the state of one upstream opens nothing at another.
  const context = (state: string) =>
    upstream === undefined ? key(state) : `${key(state)} ${upstream}`

  function open(
    record: Sealed | undefined,
    state: string,
    cookie: (name: string) => string | undefined,
  ): PendingSignIn | undefined {
    const opened = record && keyRing.open(PURPOSE, record.sealed, context(state))
    if (!opened) return undefined
    const { cookie: expected, ...pending } = JSON.parse(opened) as Kept
    const shown = cookie(cookieName(state))
    const sameBrowser = shown !== undefined && timingSafeEqualStrings(shown, expected)
    return { ...pending, sameBrowser }
  }

  return {
    async remember(check, { sessionId, clientName, returnTo, triesLeft }, storage) {
      const value = randomValue()
      const kept: Kept = { sessionId, clientName, returnTo, triesLeft, check, cookie: value }
      const sealed = keyRing.seal(PURPOSE, JSON.stringify(kept), context(check.state))
      await storage?.spend(documentBytes({ sealed }))
      await store.set(key(check.state), { sealed }, ttlSeconds)
      return { name: cookieName(check.state), value, maxAgeSeconds: ttlSeconds, secure, basePath }
    },
    look: async (state, cookie) => open(await store.get<Sealed>(key(state)), state, cookie),
    recall: async (state, cookie) => open(await store.take<Sealed>(key(state)), state, cookie),
  }
}

/** State, nonce and verifier of a new sign-in. */
export function newCheck(): SignInCheck {
  return { state: randomValue(), nonce: randomValue(), codeVerifier: randomValue() }
}

/** One cookie for each sign-in, so that two of them in one browser do not disturb each other. */
function cookieName(state: string): string {
  return `mcp-sign-in-${shortHash(state)}`
}
