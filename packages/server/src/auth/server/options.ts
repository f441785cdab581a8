/** What the built-in authorization server is given, and how long what it makes lives. */

import type { BuiltInIssuer } from '../../config.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import type { Logger } from '../../logger.ts'
import type { KeptSignIns } from '../../session/kept-sign-ins.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { SettleSignIn } from '../../session/person-sessions.ts'
import type { Store } from '../../store/port.ts'
import type { DocumentFetch } from '../document-fetch.ts'
import type { ServedResources } from '../resources.ts'
import type { Scopes } from '../scopes.ts'
import type { Signing } from './signing.ts'

export interface AuthorizationServerOptions extends BuiltInIssuer {
  /** The server's own address, without a path: who issues, and where the resources are. */
  readonly publicUrl: string
  /** The resources that tokens can be for besides `/mcp`; all if left out. */
  readonly serves?: ServedResources
  /** Clients that ask for none get those they would be challenged with. */
  readonly scopes: Scopes
  /** Clients known from the start: RFC 7591 metadata with a `client_id`. */
  readonly clients: readonly Readonly<Record<string, unknown>>[]
}

export interface OAuthFailure {
  /** Its code, such as `invalid_redirect_uri`. */
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
    'createWithId' | 'hasEnded' | 'isOver' | 'peek' | 'retrieve' | 'update' | 'use' | 'validate'
  >
  /** Ends a session and gives its upstream credentials back; false when it had ended before. */
  readonly signOut: (sessionId: string) => Promise<boolean>
  /** Whether somebody has signed in upstream for this session. */
  readonly isSignedIn: (sessionId: string) => Promise<boolean>
  /** Sign-ins that outlive the records of their sessions (`LOGIN=at-authorize`). */
  readonly keptSignIns: KeptSignIns
  /** Moves a sign-in into the live session of the same person and client (`LOGIN=at-authorize`). */
  readonly settleSignIn: SettleSignIn
  /** Ends what tokens of a grant have open, on all nodes. */
  readonly announceRevoked?: (sessionId: string, grantId: string) => Promise<void>
  readonly signing: Signing
  /** Why a client may not register an address; undefined when people may be sent there. */
  readonly redirectUriFault: (uri: string) => string | undefined
  /** Reads client ID metadata documents, from nowhere but the public internet. */
  readonly documents: DocumentFetch
  readonly log: Logger
  /** What a browser is shown when it cannot be sent back to the client. */
  readonly errorPage: (failure: OAuthFailure) => Promise<RenderedPage>
  /** Unix time in milliseconds. */
  now(): number
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long a person may think about the consent page. */
export const CONSENT_TTL_SECONDS = 15 * MINUTE

/** A registration that nobody uses is forgotten soon: registering costs nothing. */
export const UNUSED_CLIENT_TTL_SECONDS = DAY

/** How long a client that was let in once is remembered after its last token, at least. */
export const USED_CLIENT_TTL_SECONDS = 90 * DAY
