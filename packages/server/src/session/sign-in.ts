/** The upstream sign-in flow: from the one-time link via the identity provider to the session. */

import { basePathOf } from '../config/public-path.ts'
import { shortHash } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import { blockedText } from './blocks.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import { logProviderFailure } from './log-provider-failure.ts'
import type { SessionManager } from './manager.ts'
import {
  type BindingCookie,
  createPendingSignIns,
  newCheck,
  type PendingSignIn,
  type PendingSignIns,
  type SignInPurpose,
} from './pending-sign-in.ts'
import type { SignInLinkFacts, SignInLinks } from './sign-in-link.ts'
import { createProvenLinks, type SignInProof } from './sign-in-proof.ts'

export interface LinkForBrowser extends SignInLinkFacts {
  /** Display name of the host that the link leads to. */
  readonly signsInAt?: string
  /** False in the browser that authorized the client. */
  readonly needsCode: boolean
}

/** The redirect URL, and the cookie the browser must return with. */
export interface SignInRedirect {
  readonly url: URL
  readonly cookie: BindingCookie
}

export type ConfirmOutcome =
  | ({ readonly outcome: 'redirect' } & SignInRedirect)
  | { readonly outcome: 'wrong_code'; readonly triesLeft: number }
  /** Not the browser that authorized the client; does not count as an attempt. */
  | { readonly outcome: 'code_needed' }
  | { readonly outcome: 'void' }

/** `session` is a hash, for logs. */
export type FinishOutcome = Finished & { readonly session?: string }

/** `returnTo` is the path given to `begin`; absent for sign-ins that started from a link. */
type Finished =
  | {
      readonly outcome: 'signed_in'
      readonly clientName: string
      readonly name?: string | undefined
      /** Of the account; undefined for plain OAuth 2.0. */
      readonly subject?: string | undefined
      readonly returnTo?: string | undefined
    }
  /** No such `state`: unknown, expired or used. */
  | { readonly outcome: 'unknown_state' }
  /** Not the browser that started (login CSRF); the state is consumed. */
  | { readonly outcome: 'other_browser' }
  | { readonly outcome: 'session_ended'; readonly returnTo?: string | undefined }
  | {
      readonly outcome: 'provider_error'
      readonly error: ProviderError
      readonly returnTo?: string | undefined
    }

export interface SignIn {
  /**
   * The facts that a link's page shows in the browser with this cookie hash, while the session is
   * live; does not consume the link.
   */
  describe(handle: string, browser: string | undefined): Promise<LinkForBrowser | undefined>
  /**
   * Verifies the proof; if valid, consumes the link and returns the redirect.
   * @throws ProviderError when the provider is unreachable, AppError `too_many_requests` when
   * `storage` is exhausted; the link stays valid then
   */
  confirm(handle: string, proof: SignInProof, storage?: StorageBudget): Promise<ConfirmOutcome>
  /**
   * Starts without link and code, for a page that has identified its browser. The callback
   * redirects to `returnTo`, a path of this server, whatever the outcome of the sign-in.
   * @throws ProviderError when the provider is unreachable, AppError `too_many_requests` when
   * `storage` is exhausted
   */
  begin(
    purpose: SignInPurpose & { readonly returnTo: string },
    storage?: StorageBudget,
  ): Promise<SignInRedirect>
  /**
   * Handles the callback from the provider. `cookie` reads a cookie by name. `upstream` names the
   * additional upstream whose redirect URI was called.
   */
  finish(
    callback: URL,
    cookie: (name: string) => string | undefined,
    upstream?: string,
  ): Promise<FinishOutcome>
}

export interface SignInDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  readonly sessions: Pick<SessionManager, 'peek'>
  readonly links: SignInLinks
  readonly provider: Pick<IdentityProvider, 'authorizationUrl' | 'exchange' | 'revoke'>
  readonly credentials: CredentialStore
  /** Whether an operator has blocked the person; left out where accounts identify nobody. */
  readonly isBlocked?: ((subject: string) => Promise<boolean>) | undefined
  readonly log: Logger
}

export interface SignInOptions {
  /** Exactly as registered at the provider. */
  readonly redirectUri: string
  readonly ttlSeconds: number
  /** Public base URL of this server; the parent of the redirect URI if left out. */
  readonly publicUrl?: string
  /** The name of the upstream, unless it is the first. */
  readonly upstream?: string | undefined
}

export function createSignIn(deps: SignInDeps, options: SignInOptions): SignIn {
  const { store, keyRing } = deps
  const { redirectUri, ttlSeconds, upstream, publicUrl } = options
  const secure = redirectUri.startsWith('https:')
  const basePath = basePathOf(publicUrl ?? new URL('.', redirectUri).href)
  const binding = { secure, basePath, ttlSeconds, upstream }
  const pendingSignIns = createPendingSignIns({ store, keyRing }, binding)
  const links = createProvenLinks(deps, upstream)
  const start = createStart(deps, pendingSignIns, options)

  return {
    describe: links.describe,
    async confirm(handle, proof, storage) {
      const checked = await links.check(handle, proof)
      if (checked.outcome === 'wrong') {
        return { outcome: 'wrong_code', triesLeft: checked.triesLeft }
      }
      if (checked.outcome !== 'right') return checked
      // Consumed last: while the provider is unavailable, the link stays valid.
      const redirect = await start(checked.link, storage).catch(async (error) => {
        if ('code' in proof) await deps.links.forgetTries(handle)
        throw error
      })
      if (!(await deps.links.use(handle))) return { outcome: 'void' }
      return { outcome: 'redirect', ...redirect }
    },
    async begin(purpose, storage) {
      if (!isLocalPath(purpose.returnTo)) throw new TypeError('returnTo leads off this server')
      return start(purpose, storage)
    },
    async finish(callback, cookie) {
      const pending = await pendingSignIns.recall(callback.searchParams.get('state') ?? '', cookie)
      if (pending === undefined) return { outcome: 'unknown_state' }
      // No redirect to `returnTo` either: that page belongs to the browser that started.
      if (!pending.sameBrowser) return { outcome: 'other_browser' }
      return finishPending(deps, options, callback, pending)
    },
  }
}

/** Starts at the provider; remembers the sign-in until the callback. */
function createStart(
  { provider, log }: Pick<SignInDeps, 'provider' | 'log'>,
  pendingSignIns: PendingSignIns,
  { redirectUri, upstream }: SignInOptions,
) {
  return async (purpose: SignInPurpose, storage?: StorageBudget): Promise<SignInRedirect> => {
    const fresh = newCheck()
    const url = await provider.authorizationUrl(redirectUri, fresh).catch((error: unknown) => {
      const session = shortHash(purpose.sessionId)
      if (error instanceof ProviderError) {
        logProviderFailure(log, 'sign-in not started', error, { session, upstream })
      }
      throw error
    })
    return { url, cookie: await pendingSignIns.remember(fresh, purpose, storage) }
  }
}

async function finishPending(
  deps: SignInDeps,
  { redirectUri, upstream }: SignInOptions,
  callback: URL,
  pending: PendingSignIn,
): Promise<FinishOutcome> {
  const { returnTo } = pending
  const session = shortHash(pending.sessionId)
  try {
    return { ...(await complete(deps, callback, redirectUri, pending)), returnTo, session }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    logProviderFailure(deps.log, 'sign-in failed', error, { session, upstream })
    return { outcome: 'provider_error', error, returnTo, session }
  }
}

/** Revokes the provider's tokens if they cannot be stored or the session has ended. */
async function complete(
  { store, provider, credentials, isBlocked }: SignInDeps,
  callback: URL,
  redirectUri: string,
  { sessionId, clientName, check }: PendingSignIn,
) {
  const fresh = await provider.exchange(callback, redirectUri, check)
  const { name, sub: subject } = fresh.account ?? {}
  let kept = false
  try {
    if (subject !== undefined && (await isBlocked?.(subject))) {
      throw new ProviderError('account_refused', blockedText('person'))
    }
    const fence = await newestFence(store, sessionId, check.state)
    kept = await credentials.write(sessionId, fresh, fence)
  } finally {
    if (!kept) await provider.revoke(fresh)
  }
  if (!kept) return { outcome: 'session_ended' } as const
  return { outcome: 'signed_in', clientName, name, subject } as const
}

/** No open redirector: browsers take `//host` and `/\host` for a host, strip tabs and newlines. */
function isLocalPath(path: string): boolean {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path)
}
