/** What the bearer check asks of whoever issues the tokens: the built-in server or an external one. */

import type { TokenCaller } from '../session/caller.ts'

export interface AccessTokens {
  /**
   * The caller a token stands for: its signature, issuer, audience and lifetime hold, it is not
   * revoked, and its session is alive (and counted as used). Undefined for every other token.
   * @throws AppError `unavailable` when the store or the issuer's keys cannot be reached
   */
  callerOf(token: string, hears?: OnSession): Promise<TokenCaller | undefined>
}

export interface OnSession {
  /**
   * Hears whose token it is as soon as its signature tells, before the store is asked about it, and may
   * refuse by throwing. The token may yet be revoked: nothing may be done to its owner's cost.
   */
  onSession(sessionId: string): void
}
