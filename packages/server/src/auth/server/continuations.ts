/** Finds the live session that a client continues when a user authorizes it again. */

import type { Client } from 'oidc-provider'
import { sha256 } from '../../crypto/hash.ts'
import type { Session } from '../../session/record.ts'
import { describeTarget, withoutLoopbackPort } from '../redirect-uris.ts'
import { isMetadataDocument } from './clients.ts'
import type { AuthorizationServerOptions } from './options.ts'

/** The client and the redirect URI of an authorization. */
export interface Grantee {
  /**
   * Stable across repeated dynamic registrations of a client: hashes the redirect URI with the
   * client name, or with the `client_id` if that is stable itself.
   */
  readonly key: string
  /** A hash of the client_id. */
  readonly client: string
}

export interface Continuation {
  readonly sessionId: string
  /** When the session was created, as Unix time in milliseconds. */
  readonly since: number
  readonly signedIn: boolean
  /** Whether the session is continued unless the user chooses otherwise. */
  readonly isDefault: boolean
}

export interface ContinuationDeps {
  /** The live sessions of clients authorized in a browser, newest first. */
  readonly sessionsOf: (browser: string) => Promise<readonly Session[]>
  readonly isSignedIn: (sessionId: string) => Promise<boolean>
  /** Unix time in milliseconds. */
  now(): number
}

/**
 * Idle limit for continuing by default the session of a client identified only by its name: another
 * user of the same machine could register a client of the same name (client impersonation).
 */
const LONGEST_IDLE_MS = 15 * 60 * 1000

/** @param clients the pre-registered clients, whose `client_id` is stable */
export function granteeOf(
  { clientId, clientName }: Pick<Client, 'clientId' | 'clientName'>,
  redirectUri: string,
  clients: AuthorizationServerOptions['clients'],
): Grantee {
  const isKnown =
    isMetadataDocument({ client_id: clientId }) ||
    clients.some(({ client_id }) => client_id === clientId)
  const who = isKnown || !clientName ? ['id', clientId] : ['name', clientName]
  // Loopback ports differ between authorizations (RFC 8252, section 7.3).
  const key = sha256(JSON.stringify([...who, withoutLoopbackPort(redirectUri)]))
  return { key, client: sha256(clientId) }
}

/**
 * With LOGIN=on-demand: finds the newest session of the same browser and client. Only for redirects
 * to the user's own device (loopback, custom scheme). Against phishing: an attacker could trick a
 * user into authorizing the attacker's account at a web client, which would receive a signed-in
 * session.
 */
export function createFindContinuation(
  { sessionsOf, isSignedIn, now }: ContinuationDeps,
  { login, startsAnew }: Pick<AuthorizationServerOptions, 'login' | 'startsAnew'>,
) {
  return async (
    browser: string | undefined,
    { key, client }: Grantee,
    redirectUri: string,
  ): Promise<Continuation | undefined> => {
    if (login === 'at-authorize' || startsAnew || browser === undefined) return undefined
    if (describeTarget(redirectUri).kind === 'https') return undefined
    const session = (await sessionsOf(browser)).find(
      ({ access, grantee }) => access === 'token' && grantee?.key === key,
    )
    if (session === undefined) return undefined
    const { id: sessionId, connectedAt: since, lastActiveAt, grantee } = session
    return {
      sessionId,
      since,
      signedIn: await isSignedIn(sessionId),
      isDefault: grantee?.client === client || now() - lastActiveAt < LONGEST_IDLE_MS,
    }
  }
}
