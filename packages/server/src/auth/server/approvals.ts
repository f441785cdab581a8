/** Which authorizations a person has approved, and the session that each was given. */

import { sha256 } from '../../crypto/hash.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import { createId } from '../../crypto/random-id.ts'
import type { Store } from '../../store/port.ts'
import { CONSENT_TTL_SECONDS } from './options.ts'

const PURPOSE = 'oauth-approval'

export interface Given {
  readonly sessionId: string
  /** Whether the session has other grants: it does not end with this authorization. */
  readonly continued: boolean
}

export interface Approvals {
  /**
   * The authorization's session, which is the same however often and wherever it is approved:
   * `continues`, or a new one. Undefined once it was withdrawn.
   */
  give(uid: string, continues?: string): Promise<Given | undefined>
  /** The same without giving one. */
  find(uid: string): Promise<Given | undefined>
  /** Gives another session in place of the first; false once the approval was withdrawn. */
  replace(uid: string, given: Given): Promise<boolean>
  /** Nobody can approve it any more; what was given, if anything was. */
  withdraw(uid: string): Promise<Given | undefined>
}

type Approval = {
  /** The session's id; null once the approval was withdrawn. */
  readonly sealed: string | null
  readonly continued?: boolean
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

  const seal = (uid: string, { sessionId, continued }: Given): Approval => ({
    sealed: keyRing.seal(PURPOSE, sessionId, keyOf(uid)),
    continued,
  })

  async function read(uid: string) {
    const approval = await store.get<Approval>(keyOf(uid))
    const { sealed, continued = false, rev } = approval ?? {}
    const sessionId = sealed && keyRing.open(PURPOSE, sealed, keyOf(uid))
    return sessionId ? { given: { sessionId, continued }, rev } : undefined
  }

  const find = async (uid: string) => (await read(uid))?.given

  return {
    find,
    async give(uid, continues) {
      const continued = continues !== undefined
      const given = { sessionId: continues ?? createId('ses'), continued }
      const isFirst = await store.create(keyOf(uid), seal(uid, given), CONSENT_TTL_SECONDS)
      return isFirst ? given : find(uid)
    },
    async replace(uid, given) {
      const rev = (await read(uid))?.rev
      if (rev === undefined) return false
      const { outcome } = await store.patch(keyOf(uid), seal(uid, given), { ifRev: rev })
      return outcome === 'written'
    },
    async withdraw(uid) {
      // Writes the withdrawal first, which blocks later approvals, then reads any earlier one.
      const none = { sealed: null }
      if (await store.create(keyOf(uid), none, CONSENT_TTL_SECONDS)) return undefined
      const given = await find(uid)
      await store.set(keyOf(uid), none, CONSENT_TTL_SECONDS)
      return given
    },
  }
}
