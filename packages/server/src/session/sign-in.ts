/** Signing in upstream: from the one-time link through the identity provider to the session. */

import { basePathOf } from '../config/base-path.ts'
import { shortHash, timingSafeEqualStrings } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import { logProviderFailure } from './log-provider-failure.ts'
import type { SessionManager } from './manager.ts'
import {
  type BindingCookie,
  createPendingSignIns,
  newCheck,
  type PendingSignIn,
  type SignInPurpose,
} from './pending-sign-in.ts'
import type { Session } from './record.ts'
import type { SignInLinkFacts, SignInLinks } from './sign-in-link.ts'

/** Why the person may go on: the code from the chat, or the browser that let the client in. */
export type SignInProof =
  | { readonly code: string }
  /** SHA-256 of the value in the browser's cookie; undefined when it has none. */
  | { readonly browser: string | undefined }

export interface LinkForBrowser extends SignInLinkFacts {
  /** The host that it leads to, as people know it. */
  readonly signsInAt?: string
  /** False in the browser that let the client in. */
  readonly needsCode: boolean
}

/** Where to send the browser, and the cookie it must bring back. */
export interface Departure {
  readonly url: URL
  readonly cookie: BindingCookie
}

export type ConfirmOutcome =
  | ({ readonly outcome: 'redirect' } & Departure)
  | { readonly outcome: 'wrong_code'; readonly triesLeft: number }
  /** Another browser than the one that let the client in; no try was spent. */
  | { readonly outcome: 'code_needed' }
  | { readonly outcome: 'void' }

/** `session` is a hash, for logs. */
export type FinishOutcome = Finished & { readonly session?: string }

/** `returnTo` is where the sign-in began, for those that began with one. */
type Finished =
  | {
      readonly outcome: 'signed_in'
      readonly clientName: string
      readonly name?: string | undefined
      readonly returnTo?: string | undefined
    }
  /** No such `state`: unknown, expired or used. */
  | { readonly outcome: 'unknown_state' }
  /** The browser is not the one that started; the state is burnt. */
  | { readonly outcome: 'other_browser' }
  | { readonly outcome: 'session_ended'; readonly returnTo?: string | undefined }
  | {
      readonly outcome: 'provider_error'
      readonly error: ProviderError
      readonly returnTo?: string | undefined
    }

export interface SignIn {
  /**
   * What a link's page shows in the browser with this hash, while the session lives; looking does
   * not use the link up.
   */
  describe(handle: string, browser: string | undefined): Promise<LinkForBrowser | undefined>
  /**
   * Takes the proof; when it holds, uses the link up and says where to send the browser.
   * @throws ProviderError when the provider cannot be reached, AppError `too_many_requests` when
   * `storage` is exhausted; the link stays good then
   */
  confirm(handle: string, proof: SignInProof, storage?: StorageBudget): Promise<ConfirmOutcome>
  /**
   * Starts without link and code, for a page that knows whose browser it is in. The callback
   * sends the browser to `returnTo`, a path of this server, however the sign-in went.
   * @throws ProviderError when the provider cannot be reached, AppError `too_many_requests` when
   * `storage` is exhausted
   */
  begin(
    purpose: SignInPurpose & { readonly returnTo: string },
    storage?: StorageBudget,
  ): Promise<Departure>
  /**
   * Takes the browser's return from the provider. `cookie` reads a cookie by name. `upstream` names
   * the further one whose redirect URI it came to.
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
  readonly log: Logger
}

export interface SignInOptions {
  /** Exactly as registered at the provider. */
  readonly redirectUri: string
  readonly ttlSeconds: number
  /** Where people reach this server; above the redirect URI if left out. */
  readonly publicUrl?: string
  /** The name of the upstream, unless it is the first. */
  readonly upstream?: string | undefined
}

export function createSignIn(
  deps: SignInDeps,
  { redirectUri, ttlSeconds, upstream, publicUrl }: SignInOptions,
): SignIn {
  const { sessions, links, provider, log } = deps
  const secure = redirectUri.startsWith('https:')
  const basePath = basePathOf(publicUrl ?? new URL('.', redirectUri).href)
  const pendingSignIns = createPendingSignIns(deps, { secure, basePath, ttlSeconds, upstream })

  async function lookUp(handle: string) {
    const link = await links.describe(handle)
    if (link?.upstream !== upstream) return undefined
    // Nobody should enter a code and sign in for a session that has ended.
    const session = link && (await sessions.peek(link.sessionId))
    return link && session && { link, session }
  }

  async function check(handle: string, proof: SignInProof) {
    if ('code' in proof) return links.check(handle, proof.code, upstream)
    const found = await lookUp(handle)
    if (found === undefined) return { outcome: 'void' } as const
    return isBrowserOf(found.session, proof.browser)
      ? ({ outcome: 'right', link: found.link } as const)
      : ({ outcome: 'code_needed' } as const)
  }

  async function depart(purpose: SignInPurpose, storage?: StorageBudget): Promise<Departure> {
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

  return {
    async describe(handle, browser) {
      const found = await lookUp(handle)
      return found && { ...found.link, needsCode: !isBrowserOf(found.session, browser) }
    },
    async confirm(handle, proof, storage) {
      const checked = await check(handle, proof)
      if (checked.outcome === 'wrong') {
        return { outcome: 'wrong_code', triesLeft: checked.triesLeft }
      }
      if (checked.outcome !== 'right') return checked
      // Used up last: if the provider is away, the link stays good, however long that takes.
      const departure = await depart(checked.link, storage).catch(async (error) => {
        if ('code' in proof) await links.forgetTries(handle)
        throw error
      })
      if (!(await links.use(handle))) return { outcome: 'void' }
      return { outcome: 'redirect', ...departure }
    },
    async begin(purpose, storage) {
      if (!isLocalPath(purpose.returnTo)) throw new TypeError('returnTo leads off this server')
      return depart(purpose, storage)
    },
    async finish(callback, cookie) {
      const state = callback.searchParams.get('state') ?? ''
      const pending = await pendingSignIns.recall(state, cookie)
      if (pending === undefined) return { outcome: 'unknown_state' }
      // Not sent on to `returnTo` either: that page belongs to the browser that left.
      if (!pending.sameBrowser) return { outcome: 'other_browser' }
      const { returnTo } = pending
      const session = shortHash(pending.sessionId)
      try {
        return { ...(await complete(deps, callback, redirectUri, pending)), returnTo, session }
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error
        logProviderFailure(log, 'sign-in failed', error, { session, upstream })
        return { outcome: 'provider_error', error, returnTo, session }
      }
    },
  }
}

/** A provider's tokens that find no session, or no store, must not stay alive. */
async function complete(
  { store, provider, credentials }: SignInDeps,
  callback: URL,
  redirectUri: string,
  { sessionId, clientName, check }: PendingSignIn,
) {
  const fresh = await provider.exchange(callback, redirectUri, check)
  let kept = false
  try {
    const fence = await newestFence(store, sessionId, check.state)
    kept = await credentials.write(sessionId, fresh, fence)
  } finally {
    if (!kept) await provider.revoke(fresh)
  }
  if (!kept) return { outcome: 'session_ended' } as const
  return { outcome: 'signed_in', clientName, name: fresh.account?.name } as const
}

/** Browsers take `//host` and `/\host` for another server, and leave out tabs and line breaks. */
function isLocalPath(path: string): boolean {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path)
}

function isBrowserOf({ browser }: Session, shown: string | undefined): boolean {
  return browser !== undefined && shown !== undefined && timingSafeEqualStrings(browser, shown)
}
