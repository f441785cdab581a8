/** Options and dependencies of the built-in authorization server, and its lifetimes. */

import type { BuiltInIssuer } from '../../config.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import type { AuditSubject } from '../../engine/audit-subject.ts'
import type { Logger } from '../../logger.ts'
import type { Authorizations } from '../../session/authorizations.ts'
import type { Blocks } from '../../session/blocks.ts'
import type { KeptSignIns } from '../../session/kept-sign-ins.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { SettleSignIn } from '../../session/person-sessions.ts'
import type { Store } from '../../store/port.ts'
import type { Fetch } from '../../upstream/provider-fetch.ts'
import type { DocumentFetch } from '../document-fetch.ts'
import type { ServedResources } from '../resources.ts'
import type { Scopes } from '../scopes.ts'
import type { Signing } from './signing.ts'

export interface AuthorizationServerOptions extends BuiltInIssuer {
  /** The public URL of the server: the issuer, and the base of the resource identifiers. */
  readonly publicUrl: string
  /** The resources that tokens can have as audience in addition to `/mcp`; all if omitted. */
  readonly serves?: ServedResources
  /** Clients that request no scope receive those of the challenge. */
  readonly scopes: Scopes
  /** How the audit log names the person; not at all if left out. */
  readonly auditSubject?: AuditSubject
  /** Whether nodes of the previous release can share the store; by default they can. */
  readonly hasEarlierNodes?: boolean
  /** Pre-registered clients: RFC 7591 metadata with a `client_id`. */
  readonly clients: readonly Readonly<Record<string, unknown>>[]
}

export interface OAuthFailure {
  /** The error code, such as `invalid_redirect_uri`. */
  readonly error: string
  readonly description: string | undefined
}

export interface RenderedPage {
  readonly headers: Readonly<Record<string, string>>
  readonly html: string
}

export interface AuthorizationServerDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  readonly sessions: Pick<
    SessionManager,
    'createWithId' | 'hasEnded' | 'expiration' | 'peek' | 'retrieve' | 'update' | 'use' | 'validate'
  >
  /** Clients and people that get no tokens. */
  readonly blocks: Pick<Blocks, 'current'>
  /** Ends a session and revokes its upstream credentials; false when it had already ended. */
  readonly signOut: (sessionId: string) => Promise<boolean>
  /** Whether the user has signed in upstream for this session. */
  readonly isSignedIn: (sessionId: string) => Promise<boolean>
  /** Records of what people have authorized. */
  readonly authorizations: Pick<Authorizations, 'consented' | 'issued' | 'used'>
  /** Sign-ins that outlive the records of their sessions (`LOGIN=at-authorize`). */
  readonly keptSignIns: KeptSignIns
  /** Moves a sign-in into the live session of the same user and client (`LOGIN=at-authorize`). */
  readonly settleSignIn: SettleSignIn
  /** Ends the open streams of a grant's tokens on all nodes. */
  readonly broadcastRevoked?: (sessionId: string, grantId: string) => Promise<void>
  readonly signing: Signing
  /** Why a client may not register a redirect URI; undefined if it may. */
  readonly redirectUriFault: (uri: string) => string | undefined
  /** Fetches client ID metadata documents from public hosts only (SSRF protection). */
  readonly documents: DocumentFetch
  /** Reads the metadata and keys of the issuers of identity assertions. */
  readonly fetch: Fetch
  readonly log: Logger
  /** Renders the error page for errors that must not be redirected to the client. */
  readonly errorPage: (failure: OAuthFailure) => Promise<RenderedPage>
  /** Unix time in milliseconds. */
  now(): number
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long an authorization waits for the user's consent. */
export const CONSENT_TTL_SECONDS = 15 * MINUTE

/** TTL of an unused registration: short, since dynamic registration is open to all callers. */
export const UNUSED_CLIENT_TTL_SECONDS = DAY

/** Minimum TTL of an authorized client, renewed with each issued token (sliding expiration). */
export const USED_CLIENT_TTL_SECONDS = 90 * DAY
