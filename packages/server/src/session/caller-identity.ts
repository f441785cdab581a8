/** The identity behind an access token, as passed to tools, hooks and `visible`. */

import { type Caller, createCaller } from '../engine/identity.ts'
import type { TokenCaller } from './caller.ts'
import type { CredentialStore } from './credentials.ts'

/**
 * The identity of a caller with a token. Tokens of an external issuer carry the subject and claims;
 * this server's own tokens map to a session, whose upstream sign-in, if any, gives the identity.
 */
export function identityOf(
  credentials: Pick<CredentialStore, 'read'>,
  { session, subject, claims, clientId, scopes, isMachine, isPersonal }: TokenCaller,
): Caller {
  const known = { kind: kindOf({ isMachine, isPersonal }), clientId, scopes } as const
  if (isMachine) return createCaller({ ...known, claims: freeze(claims ?? {}) })
  if (claims !== undefined) return createCaller({ ...known, subject, claims: freeze(claims) })
  const account = credentials.read(session)?.account
  if (account === undefined) return createCaller(known)
  return createCaller({ ...known, subject: account.sub, claims: freeze({ ...account }) })
}

function kindOf({ isMachine, isPersonal }: Pick<TokenCaller, 'isMachine' | 'isPersonal'>) {
  if (isMachine) return 'client'
  return isPersonal ? 'personal_token' : 'token'
}

/** Freezes the claims: introspection responses are cached and shared between calls. */
function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) freeze(part)
  }
  return Object.freeze(value)
}
