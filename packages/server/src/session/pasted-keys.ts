/** Keys that people pasted: handed out as they are, and forgotten once the API refuses them. */

import { randomValue } from '../crypto/random-id.ts'
import { callLogin } from '../engine/sign-in-ladder.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/port.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import type { CheckKey } from './key-entry.ts'
import type { SessionManager } from './manager.ts'
import type { FreshToken } from './refresh.ts'
import type { AccessOptions } from './upstream-access.ts'

export function createKeyToken(
  sessions: Pick<SessionManager, 'peek'>,
  credentials: Pick<CredentialStore, 'read'>,
): FreshToken {
  return async (sessionId) => {
    const session = await sessions.peek(sessionId)
    return session && credentials.read(session)?.accessToken
  }
}

export interface RefusedKeyDeps {
  readonly store: Store
  readonly credentials: Pick<CredentialStore, 'forget'>
  readonly checkKey: CheckKey
  /** The upstream, unless it is the first. */
  readonly upstream: string | undefined
}

/**
 * An API that refuses one request need not refuse the key: it is asked once more whether the key is
 * good, and a key that is not is forgotten.
 * @throws AppError `login_required` for a key that is no longer good
 */
export function createOnRefusedKey({
  store,
  credentials,
  checkKey,
  upstream,
}: RefusedKeyDeps): NonNullable<AccessOptions['onRefusedKey']> {
  return async (sessionId, key) => {
    // Taken first: a key that is pasted meanwhile stays.
    const fence = await newestFence(store, sessionId, randomValue())
    if ((await checkKey(key)) !== 'refused') return
    await credentials.forget(sessionId, fence)
    const message = 'Your key is no longer accepted, and was removed.'
    throw new AppError('login_required', `${message} ${callLogin(upstream)}`)
  }
}
