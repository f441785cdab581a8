/** Port of the bearer check: validates access tokens of the built-in or of an external issuer. */

import type { TokenCaller } from '../session/caller.ts'
import type { Document, Stored } from '../store/port.ts'

export interface AccessTokens {
  /**
   * The caller of a valid token: signature, issuer, audience and lifetime are correct, the token is
   * not revoked, and its session is alive. Undefined for every other token. Counts as use of the
   * session (sliding expiration).
   * @throws AppError `unavailable` when the store or the issuer is unreachable, `too_many_requests`
   * when the address exceeds its limit of unknown tokens (introspection)
   */
  callerOf(token: string, presenter?: TokenPresenter): Promise<TokenCaller | undefined>
}

/** The request that presents a token. */
export interface TokenPresenter {
  /** The network that rate limits count until the token is verified. */
  address(): string
  /**
   * Called with the token's session id as soon as the signature is verified, before the store
   * lookup; may refuse the request by throwing. The token may be revoked, so the callback must not
   * charge the session, for example its rate limit.
   */
  onSession(sessionId: string): void
  /** Key of a document to prefetch in the round trip of the token check; undefined for none. */
  readonly prefetchKey?: string | undefined
  /** Called with the prefetched document, whose ownership is not verified yet. */
  onPrefetched?(document: Stored<Document> | undefined): void
  /**
   * Starts the prefetch in parallel, where the token check reads only the session from the store.
   */
  prefetch?(): void
}

/** For stdio, where requests carry no access token. */
export const NO_TOKENS: AccessTokens = { callerOf: async () => undefined }
