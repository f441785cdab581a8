/**
 * Sessions with ids derived from the caller, since no consent creates them: one per machine client,
 * one per person and client with identity assertions. Each further token continues the session.
 */

import type { AccessToken } from 'oidc-provider'
import { JWT_BEARER, MACHINE_GRANTS } from '../../config/machine-clients.ts'
import { sha256 } from '../../crypto/hash.ts'
import { storeUnavailable } from '../../errors.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { Session } from '../../session/record.ts'
import { grantIdOf } from './grants.ts'

/** The person whom an identity assertion names. */
export interface AssertedSubject {
  readonly iss: string
  readonly sub: string
}

export function machineSessionId(clientId: string): string {
  return idOf(['client', clientId])
}

export function assertedSessionId({ iss, sub }: AssertedSubject, clientId: string): string {
  return idOf([iss, sub, clientId])
}

function idOf(parts: readonly string[]): string {
  return `ses_${sha256(JSON.stringify(parts))}`
}

/**
 * The grant of all tokens issued since the session was last created. Tokens from before a sign-out
 * stay invalid, although the id is used again.
 */
export function currentGrant({ id, connectedAt }: Pick<Session, 'id' | 'connectedAt'>): string {
  return grantIdOf(id, String(connectedAt))
}

interface DerivedToken {
  /** The grant type of the token. */
  readonly gty?: string | undefined
  readonly grantId?: string | undefined
}

/** Whether the token was issued without a consent. */
function isDerived({ gty }: DerivedToken): boolean {
  return MACHINE_GRANTS.includes(gty)
}

/** Whether a token was issued for an earlier session with the same id. */
export function isOfEarlierSession(token: DerivedToken, session: Session): boolean {
  return isDerived(token) && token.grantId !== currentGrant(session)
}

/**
 * The facts of a caller without a consent; undefined for an invalid token. Only the token contains
 * the subject; the session id, a hash of it, authenticates it.
 */
export function derivedCaller(
  token: DerivedToken,
  { clientId, asserted }: { readonly clientId: string; readonly asserted?: AssertedSubject },
  session: Session,
) {
  if (isOfEarlierSession(token, session)) return undefined
  if (token.gty !== JWT_BEARER) return { isMachine: true }
  if (asserted === undefined || assertedSessionId(asserted, clientId) !== session.id) {
    return undefined
  }
  return { subject: asserted.sub, issuer: asserted.iss, claims: { ...asserted } }
}

const MOST_ATTEMPTS = 3

/** Finds the session, or creates it, also after a sign-out. @throws AppError `unavailable` */
export async function openDerivedSession(
  sessions: Pick<SessionManager, 'createWithId' | 'retrieve'>,
  id: string,
  clientName: string | undefined,
): Promise<Session> {
  const facts = clientName === undefined ? {} : { clientName }
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const session =
      (await sessions.retrieve(id)) ??
      (await sessions.createWithId(id, 'token', facts, Number.POSITIVE_INFINITY))
    if (session !== undefined) return session
  }
  throw storeUnavailable(new Error('The session was ended repeatedly while it was created'))
}

const subjects = new WeakMap<object, AssertedSubject>()

/** Keeps the subject of a token until it is signed. */
export function rememberSubject(token: AccessToken, subject: AssertedSubject): void {
  subjects.set(token, subject)
}

export function subjectOf(token: object): AssertedSubject | undefined {
  return subjects.get(token)
}
