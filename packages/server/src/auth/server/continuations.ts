/** Which live session a client goes on with when a person authorizes it again. */

import type { Client } from 'oidc-provider'
import { sha256 } from '../../crypto/hash.ts'
import type { Session } from '../../session/record.ts'
import { describeTarget, withoutLoopbackPort } from '../redirect-uris.ts'
import { isMetadataDocument } from './clients.ts'
import type { AuthorizationServerOptions } from './options.ts'

/** The client that an authorization is for, and where its code goes. */
export interface Grantee {
  /** The same for a client that registers anew each time: by its name, as far as that is all there is. */
  readonly key: string
  /** A hash of the client_id. */
  readonly client: string
}

export interface Continuation {
  readonly sessionId: string
  /** When it was opened, as Unix time in milliseconds. */
  readonly since: number
  readonly signedIn: boolean
  /** Whether the person goes on with it unless they say otherwise. */
  readonly isDefault: boolean
}

export interface ContinuationDeps {
  /** Live sessions that a browser authorized clients for, the newest first. */
  readonly sessionsOf: (browser: string) => Promise<readonly Session[]>
  readonly isSignedIn: (sessionId: string) => Promise<boolean>
  /** Unix time in milliseconds. */
  now(): number
}

/**
 * Of a client known by its name alone: another user of the same machine could register one of that
 * name, and talk somebody into authorizing it.
 */
const LONGEST_IDLE_MS = 15 * 60 * 1000

/** @param clients those of the configuration, which prove who they are */
export function granteeOf(
  { clientId, clientName }: Pick<Client, 'clientId' | 'clientName'>,
  redirectUri: string,
  clients: AuthorizationServerOptions['clients'],
): Grantee {
  const isKnown =
    isMetadataDocument({ client_id: clientId }) ||
    clients.some(({ client_id }) => client_id === clientId)
  const who = isKnown || !clientName ? ['id', clientId] : ['name', clientName]
  // Loopback ports change from one authorization to the next (RFC 8252, section 7.3).
  const key = sha256(JSON.stringify([...who, withoutLoopbackPort(redirectUri)]))
  return { key, client: sha256(clientId) }
}

/**
 * With LOGIN=on-demand: the newest session of the same browser and the same client. Only where the
 * code goes to the person's own device: a web client's account may be somebody else's, who talks the
 * person into authorizing it, and would get a session that is signed in.
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
