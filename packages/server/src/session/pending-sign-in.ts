/** Sign-ins in progress: encrypted state in the store until the browser returns. */

import { sha256, shortHash, timingSafeEqualStrings } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import { randomValue } from '../crypto/random-id.ts'
import type { Store } from '../store/port.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'
import type { SignInCheck } from '../upstream/identity-provider.ts'

const PURPOSE = 'sign-in'

/** Binds the callback to the browser that started (login CSRF): set before the redirect. */
export interface BindingCookie {
  readonly name: string
  readonly value: string
  readonly maxAgeSeconds: number
  /** Whether the cookie has the `Secure` attribute. */
  readonly secure: boolean
  /** Prefix of the cookie's `Path`; the whole host if empty. */
  readonly basePath: string
}

/** The session and client of a sign-in, and the page the browser goes to afterwards. */
export interface SignInPurpose {
  readonly sessionId: string
  /** Self-declared name of the requesting client. */
  readonly clientName: string
  /** A path of this server, such as `/consent/…`; absent for the page that shows the result. */
  readonly returnTo?: string | undefined
  /** Remaining attempts to paste a key; undefined before the first, and for other sign-ins. */
  readonly triesLeft?: number | undefined
}

export interface PendingSignIn extends SignInPurpose {
  readonly check: SignInCheck
  /** Whether the browser that returned is the one that started. */
  readonly sameBrowser: boolean
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
  /** Name of the additional upstream for the sign-in; absent for the first. */
  readonly upstream?: string | undefined
}

export type PendingSignIns = ReturnType<typeof createPendingSignIns>

export function createPendingSignIns(
  { store, keyRing }: { readonly store: Store; readonly keyRing: KeyRing },
  { secure, basePath, ttlSeconds, upstream }: PendingSignInOptions,
) {
  const sealing = createPendingSealing(keyRing, upstream)

  function open(
    record: Sealed | undefined,
    state: string,
    cookie: (name: string) => string | undefined,
  ): PendingSignIn | undefined {
    const opened = record && sealing.open(record, state)
    if (opened === undefined) return undefined
    const { cookie: expected, ...pending } = opened
    const shown = cookie(cookieName(state))
    const sameBrowser = shown !== undefined && timingSafeEqualStrings(shown, expected)
    return { ...pending, sameBrowser }
  }

  return {
    /**
     * Stores a sign-in under its `state`; the cookie is for the browser that starts it.
     * @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then
     */
    async remember(
      check: SignInCheck,
      { sessionId, clientName, returnTo, triesLeft }: SignInPurpose,
      storage?: StorageBudget,
    ): Promise<BindingCookie> {
      const value = randomValue()
      const kept: Kept = { sessionId, clientName, returnTo, triesLeft, check, cookie: value }
      const sealed = sealing.seal(kept)
      await storage?.spend(documentBytes(sealed))
      await store.set(key(check.state), sealed, ttlSeconds)
      return { name: cookieName(check.state), value, maxAgeSeconds: ttlSeconds, secure, basePath }
    },
    /** Reads what `recall` would return, without consuming it. */
    peek: async (
      state: string,
      cookie: (name: string) => string | undefined,
    ): Promise<PendingSignIn | undefined> =>
      open(await store.get<Sealed>(key(state)), state, cookie),
    /** Consumes a sign-in. `cookie` reads a cookie by name. Undefined: unknown, expired or used. */
    recall: async (
      state: string,
      cookie: (name: string) => string | undefined,
    ): Promise<PendingSignIn | undefined> =>
      open(await store.take<Sealed>(key(state)), state, cookie),
  }
}

const key = (state: string) => `sign-in-state:{${sha256(state)}}`

/** Encrypts sign-ins, bound to their keys and to their upstream. */
function createPendingSealing(keyRing: KeyRing, upstream: string | undefined) {
  // Mix-up defense (RFC 9700, 4.4): the state of one upstream does not decrypt at another.
  const context = (state: string) =>
    upstream === undefined ? key(state) : `${key(state)} ${upstream}`
  return {
    seal: (kept: Kept): Sealed => ({
      sealed: keyRing.seal(PURPOSE, JSON.stringify(kept), context(kept.check.state)),
    }),
    open({ sealed }: Sealed, state: string): Kept | undefined {
      const opened = keyRing.open(PURPOSE, sealed, context(state))
      return opened ? (JSON.parse(opened) as Kept) : undefined
    },
  }
}

/** `state`, nonce and PKCE verifier of a new sign-in. */
export function newCheck(): SignInCheck {
  return { state: randomValue(), nonce: randomValue(), codeVerifier: randomValue() }
}

/** One cookie per sign-in, so that concurrent sign-ins in one browser do not conflict. */
function cookieName(state: string): string {
  return `mcp-sign-in-${shortHash(state)}`
}
