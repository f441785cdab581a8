/** Who is calling: what authentication yields and sessions are looked up by. */

import type { Session } from './record.ts'

/** A caller that showed no token; it is known by its connection or its session handle, if at all. */
export interface AnonymousCaller {
  readonly kind: 'anonymous'
  /** Where it calls from; what it is counted by where it shows nothing else. */
  readonly address: string
}

/** A caller whose access token holds, with the session that the token belongs to. */
export interface TokenCaller {
  readonly kind: 'token'
  readonly session: Session
  /** What it was given by; undefined where another server issues tokens. */
  readonly grantId?: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Whom an external issuer's token stands for, and all that it says. */
  readonly subject?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** When the token runs out, as Unix time in milliseconds; what it opened ends then. */
  readonly expiresAt?: number | undefined
}

export type Caller = AnonymousCaller | TokenCaller
