/** Signing in upstream: from the one-time link through the identity provider to the session. */

import { randomBytes } from 'node:crypto'
import { sha256, shortHash, timingSafeEqualStrings } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import type { IdentityProvider, SignInCheck } from '../upstream/identity-provider.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import type { SignInLinkFacts, SignInLinks } from './sign-in-link.ts'

const PURPOSE = 'sign-in'

/** Ties the callback to the browser that started: set before the redirect, checked after it. */
export interface BindingCookie {
  readonly name: string
  readonly value: string
  readonly maxAgeSeconds: number
  /** Whether it may travel over https alone. */
  readonly secure: boolean
}

export type ConfirmOutcome =
  | { readonly outcome: 'redirect'; readonly url: URL; readonly cookie: BindingCookie }
  | { readonly outcome: 'wrong_code'; readonly triesLeft: number }
  | { readonly outcome: 'void' }

export type FinishOutcome =
  | {
      readonly outcome: 'signed_in'
      readonly clientName: string
      readonly name?: string | undefined
    }
  /** No such `state`: unknown, expired or used. */
  | { readonly outcome: 'unknown_state' }
  /** The browser is not the one that started; the state is burnt. */
  | { readonly outcome: 'other_browser' }
  | { readonly outcome: 'session_ended' }
  | { readonly outcome: 'provider_error'; readonly error: ProviderError }

export interface SignIn {
  readonly links: SignInLinks
  /**
   * Takes the code; when it is right, uses the link up and says where to send the browser.
   * @throws ProviderError when the provider cannot be reached; the link stays good then
   */
  confirm(handle: string, code: string): Promise<ConfirmOutcome>
  /** Takes the browser's return from the provider. `cookie` reads a cookie by name. */
  finish(callback: URL, cookie: (name: string) => string | undefined): Promise<FinishOutcome>
}

export interface SignInDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  readonly links: SignInLinks
  readonly provider: IdentityProvider
  readonly credentials: CredentialStore
  readonly log: Logger
}

export interface SignInOptions {
  /** Exactly as registered at the provider. */
  readonly redirectUri: string
  readonly ttlSeconds: number
}

/** What waits in the store for the callback, sealed. */
interface PendingSignIn {
  readonly link: { readonly sessionId: string; readonly clientName: string }
  readonly check: SignInCheck
  readonly cookie: string
}

export function createSignIn(deps: SignInDeps, { redirectUri, ttlSeconds }: SignInOptions): SignIn {
  const { store, keyRing, links, provider, credentials, log } = deps
  const key = (state: string) => `sign-in-state:{${sha256(state)}}`

  async function remember(check: SignInCheck, link: SignInLinkFacts): Promise<BindingCookie> {
    const pending: PendingSignIn = { link, check, cookie: randomValue() }
    const sealed = keyRing.seal(PURPOSE, JSON.stringify(pending), key(check.state))
    await store.set(key(check.state), { sealed }, ttlSeconds)
    const secure = redirectUri.startsWith('https:')
    return {
      name: cookieName(check.state),
      value: pending.cookie,
      maxAgeSeconds: ttlSeconds,
      secure,
    }
  }

  async function recall(state: string): Promise<PendingSignIn | undefined> {
    const record = await store.take<{ sealed: string }>(key(state))
    const opened = record && keyRing.open(PURPOSE, record.sealed, key(state))
    return opened ? (JSON.parse(opened) as PendingSignIn) : undefined
  }

  /** A provider's tokens that find no session, or no store, must not stay alive. */
  async function complete(callback: URL, { link, check }: PendingSignIn): Promise<FinishOutcome> {
    const fresh = await provider.exchange(callback, redirectUri, check)
    let kept = false
    try {
      kept = await credentials.write(link.sessionId, fresh, await newestFence(store, link, check))
    } finally {
      if (!kept) await provider.revoke(fresh)
    }
    if (!kept) return { outcome: 'session_ended' }
    return { outcome: 'signed_in', clientName: link.clientName, name: fresh.account?.name }
  }

  return {
    links,
    async confirm(handle, code) {
      const checked = await links.check(handle, code)
      if (checked.outcome === 'wrong')
        return { outcome: 'wrong_code', triesLeft: checked.triesLeft }
      if (checked.outcome === 'void') return { outcome: 'void' }
      const check = { state: randomValue(), nonce: randomValue(), codeVerifier: randomValue() }
      // Asked first: if the provider is away, the link stays good, however long that takes.
      const url = await provider.authorizationUrl(redirectUri, check).catch(async (error) => {
        await links.forgetTries(handle)
        throw error
      })
      if (!(await links.use(handle))) return { outcome: 'void' }
      return { outcome: 'redirect', url, cookie: await remember(check, checked.link) }
    },
    async finish(callback, cookie) {
      const state = callback.searchParams.get('state') ?? ''
      const pending = await recall(state)
      if (pending === undefined) return { outcome: 'unknown_state' }
      const shown = cookie(cookieName(state))
      if (shown === undefined || !timingSafeEqualStrings(shown, pending.cookie)) {
        return { outcome: 'other_browser' }
      }
      try {
        return await complete(callback, pending)
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error
        log.warn({ err: error, session: shortHash(pending.link.sessionId) }, 'sign-in failed')
        return { outcome: 'provider_error', error }
      }
    },
  }
}

/** Newer than the token of any refresh under way, whose late write is dropped that way. */
async function newestFence(
  store: Store,
  { sessionId }: PendingSignIn['link'],
  { state }: SignInCheck,
): Promise<number> {
  const lock = await store.lock(`{${sessionId}}:sign-in:${sha256(state)}`, 1)
  if (lock === undefined) throw new Error('A state was used twice')
  return lock.token
}

/** 256 random bits, as base64url: also the length RFC 7636 recommends for a code verifier. */
function randomValue(): string {
  return randomBytes(32).toString('base64url')
}

/** One cookie for each sign-in, so that two of them in one browser do not disturb each other. */
function cookieName(state: string): string {
  return `mcp-sign-in-${shortHash(state)}`
}
