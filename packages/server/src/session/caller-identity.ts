/** Who a token stands for, as tools, hooks and `visible` see it. */

import { type Caller, createCaller } from '../engine/identity.ts'
import type { TokenCaller } from './caller.ts'
import type { CredentialStore } from './credentials.ts'

/**
 * The identity of a caller with a token. An external issuer says itself who that is; this server's own
 * tokens belong to a session, in which somebody may have signed in upstream.
 */
export function identityOf(
  credentials: Pick<CredentialStore, 'read'>,
  { session, subject, claims, clientId, scopes }: TokenCaller,
): Caller {
  const known = { kind: 'token', clientId, scopes } as const
  if (claims !== undefined) return createCaller({ ...known, subject, claims: freeze(claims) })
  const account = credentials.read(session)?.account
  if (account === undefined) return createCaller(known)
  return createCaller({ ...known, subject: account.sub, claims: freeze({ ...account }) })
}

/** Introspection responses are kept for other calls. */
function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) freeze(part)
  }
  return Object.freeze(value)
}
