/** What the bearer check asks of whoever issues the tokens: the built-in server or an external one. */

import type { TokenCaller } from '../session/caller.ts'

export interface AccessTokens {
  /**
   * The caller a token stands for: its signature, issuer, audience and lifetime hold, it is not
   * revoked, and its session is alive (and counted as used). Undefined for every other token.
   * `addressOf` gives what the caller is counted by while nobody knows the token.
   * @throws AppError `unavailable` when the store or the issuer cannot be reached,
   * `too_many_requests` where it would have to be asked about too many unknown tokens
   */
  callerOf(
    token: string,
    onSession?: OnSession,
    addressOf?: () => string,
  ): Promise<TokenCaller | undefined>
}

/**
 * Hears whose token it is as soon as its signature tells, before the store is asked about it, and may
 * refuse by throwing. The token may yet be revoked: nothing may be done to its owner's cost.
 */
export type OnSession = (sessionId: string) => void

/** Over stdio nobody shows one. */
export const NO_TOKENS: AccessTokens = { callerOf: async () => undefined }
