/** Which authorizations a person has said yes to, and the session that each was given. */

import { sha256 } from '../../crypto/hash.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import { createId } from '../../crypto/random-id.ts'
import type { Store } from '../../store/port.ts'
import { CONSENT_TTL_SECONDS } from './options.ts'

const PURPOSE = 'oauth-approval'

export interface Approvals {
  /**
   * The id of the authorization's session, which is the same however often and wherever it is
   * approved; undefined once it was withdrawn.
   */
  give(uid: string): Promise<string | undefined>
  /** The same without giving one. */
  find(uid: string): Promise<string | undefined>
  /** Nobody can approve it any more; the id of the session that was given, if there was one. */
  withdraw(uid: string): Promise<string | undefined>
}

type Approval = {
  /** The session's id; null once the approval was withdrawn. */
  readonly sealed: string | null
}

/** Approvals live as long as the consent page; the store sees a hash of the authorization's id. */
export function createApprovals({
  store,
  keyRing,
}: {
  readonly store: Store
  readonly keyRing: KeyRing
}): Approvals {
  const keyOf = (uid: string) => `oauth:Approval:${sha256(uid)}`

  async function find(uid: string): Promise<string | undefined> {
    const approval = await store.get<Approval>(keyOf(uid))
    if (!approval?.sealed) return undefined
    return keyRing.open(PURPOSE, approval.sealed, keyOf(uid))
  }

  return {
    find,
    async give(uid) {
      const id = createId('ses')
      const sealed = keyRing.seal(PURPOSE, id, keyOf(uid))
      return (await store.create(keyOf(uid), { sealed }, CONSENT_TTL_SECONDS)) ? id : find(uid)
    },
    async withdraw(uid) {
      // First of all nobody may come after us; then we look who came before.
      const none = { sealed: null }
      if (await store.create(keyOf(uid), none, CONSENT_TTL_SECONDS)) return undefined
      const id = await find(uid)
      await store.set(keyOf(uid), none, CONSENT_TTL_SECONDS)
      return id
    },
  }
}
