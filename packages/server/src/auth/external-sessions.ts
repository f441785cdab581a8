/** The sessions of an external issuer's tokens: one for each subject and client of an issuer. */

import { sha256 } from '../crypto/hash.ts'
import { isFromBefore, type SessionManager } from '../session/manager.ts'
import type { Session } from '../session/record.ts'
import type { TokenFacts } from './token-rules.ts'

/** Limits writes for introspected tokens without `exp`, whose expiry moves with the time of use. */
const EXPIRY_STEP_MS = 1000

/** The session's id, the same for all tokens that an issuer issues to a client for a subject. */
export function externalSessionId({
  issuer,
  subject,
  clientId,
}: Pick<TokenFacts, 'issuer' | 'subject' | 'clientId'>): string {
  return `ses_${sha256(JSON.stringify([issuer, subject, clientId]))}`
}

/**
 * The session of a valid token, created at its first use; undefined if the session was ended after
 * the token was issued. Records until when tokens of the session are valid, for its open streams.
 */
export async function externalSession(
  sessions: SessionManager,
  id: string,
  { issuedAt, expiresAt }: Pick<TokenFacts, 'issuedAt' | 'expiresAt'>,
): Promise<Session | undefined> {
  const session =
    (await sessions.peek(id)) ??
    (await sessions.createWithId(id, 'token', {}, issuedAt)) ??
    // A concurrent request with the same token won the race.
    (await sessions.peek(id))
  if (session === undefined) return undefined
  const { endedBefore, tokenUntil = 0 } = session
  // Issued before the sign-out: a newer token created the session of this id again.
  if (endedBefore !== undefined && isFromBefore(issuedAt, endedBefore)) return undefined
  if (expiresAt - tokenUntil >= EXPIRY_STEP_MS) {
    // Streams end earlier if this cannot be written; the token is valid regardless.
    await sessions.update(id, 'tokenUntil', expiresAt).catch(() => undefined)
  }
  return sessions.use(session)
}
