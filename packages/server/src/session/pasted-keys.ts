/** API keys that users pasted: passed on unchanged, deleted once the API rejects them. */

import { randomValue } from '../crypto/random-id.ts'
import { callLogin } from '../engine/require-sign-in.ts'
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
 * A rejected request does not imply an invalid key: checks the key with one more request, and
 * deletes it if the API rejects that too.
 * @throws AppError `login_required` for a key that is no longer valid
 */
export function createOnRefusedKey({
  store,
  credentials,
  checkKey,
  upstream,
}: RefusedKeyDeps): NonNullable<AccessOptions['onRefusedKey']> {
  return async (sessionId, key) => {
    // Acquired before the check, so that a key pasted during it has a higher fence and is kept.
    const fence = await newestFence(store, sessionId, randomValue())
    if ((await checkKey(key)) !== 'refused') return
    await credentials.forget(sessionId, fence)
    const message = 'Your key is no longer accepted, and was removed.'
    throw new AppError('login_required', `${message} ${callLogin(upstream)}`)
  }
}
