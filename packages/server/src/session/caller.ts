/** The caller: the result of authentication, by which the session is looked up. */

import type { Subject } from './on-behalf.ts'
import type { Session } from './record.ts'

/** An unauthenticated caller, identified by its MCP session or session handle, if at all. */
export interface AnonymousCaller {
  readonly kind: 'anonymous'
  /** Client IP address; the rate-limit key of callers without any other identifier. */
  readonly address: string
}

/** A caller with a valid access token, and the session that the token belongs to. */
export interface TokenCaller {
  readonly kind: 'token'
  readonly session: Session
  /** The grant of the token; undefined with an external authorization server. */
  readonly grantId?: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Whether the client acts for itself, without a person. */
  readonly isMachine?: boolean | undefined
  /** Subject and claims, from an external issuer's token or an identity assertion. */
  readonly subject?: string | undefined
  /** The configured issuer that names the subject. */
  readonly issuer?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** The external issuer's token itself, for a token exchange; must not be stored or logged. */
  readonly subjectToken?: Subject | undefined
  /** Expiry of the token, as Unix time in milliseconds; streams opened with it end then. */
  readonly expiresAt?: number | undefined
  /** Set for a personal access token, which a person made for a job. */
  readonly isPersonal?: boolean | undefined
}

export type Caller = AnonymousCaller | TokenCaller
