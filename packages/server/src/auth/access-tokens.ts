/** What the bearer check asks of whoever issues the tokens: the built-in server or an external one. */

import type { TokenCaller } from '../session/caller.ts'
import type { Document, Stored } from '../store/port.ts'

export interface AccessTokens {
  /**
   * The caller a token stands for: its signature, issuer, audience and lifetime hold, it is not
   * revoked, and its session is alive (and counted as used). Undefined for every other token.
   * @throws AppError `unavailable` when the store or the issuer cannot be reached,
   * `too_many_requests` where it would have to be asked about too many unknown tokens
   */
  callerOf(token: string, presenter?: TokenPresenter): Promise<TokenCaller | undefined>
}

/** Who presents a token. */
export interface TokenPresenter {
  /** What a caller is counted by without a token, and while nobody knows its token. */
  address(): string
  /**
   * Called with the session of a token as soon as its signature is verified, before the store is asked
   * about it; may refuse by throwing. The token may yet be revoked: nothing may be done to its owner's
   * cost.
   */
  onSession(sessionId: string): void
  /** The key of a document that is read beside what the token needs; undefined for none. */
  readonly beside?: string | undefined
  /** Called with what was found there: nobody has looked yet whose it is. */
  onRead?(document: Stored<Document> | undefined): void
  /** The same where a token needs nothing of the store but its session. */
  readBeside?(): void
}

/** Over stdio nobody shows one. */
export const NO_TOKENS: AccessTokens = { callerOf: async () => undefined }
