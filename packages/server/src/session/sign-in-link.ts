/**
 * One-time sign-in links. A link alone signs nobody in: the page asks for the code that `login`
 * showed in the chat, so that a link sent to somebody else is worth nothing (RFC 8628, 5.4).
 */

import { sha256, timingSafeEqualStrings } from '../crypto/hash.ts'
import { createId, shortCode } from '../crypto/random-id.ts'
import type { Store } from '../store/port.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'

/** Tries at the code before the link is void: 5 of 2^40. */
const MOST_TRIES = 5

interface LinkRecord {
  readonly [field: string]: unknown
  readonly sessionId: string
  readonly codeHash: string
  readonly clientName: string
  /** Unix time in milliseconds. */
  readonly since: number
  readonly tries: number
  /** Absent for the first. */
  readonly upstream?: string
}

export interface SignInLinkFacts {
  readonly sessionId: string
  /** What the client that asked calls itself. */
  readonly clientName: string
  readonly since: Date
  /** The further upstream it leads to; absent for the first. */
  readonly upstream?: string
}

export type CodeOutcome =
  | { readonly outcome: 'right'; readonly link: SignInLinkFacts }
  | { readonly outcome: 'wrong'; readonly triesLeft: number }
  /** Unknown, expired, used, or tried too often. */
  | { readonly outcome: 'void' }

export interface NewLink {
  readonly handle: string
  readonly code: string
  readonly expiresAt: Date
  readonly ttlSeconds: number
}

export interface SignInLinks {
  /** @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then */
  issue(
    sessionId: string,
    clientName: string,
    storage?: StorageBudget,
    upstream?: string,
  ): Promise<NewLink>
  /** What the page shows; looking does not use the link up. */
  describe(handle: string): Promise<SignInLinkFacts | undefined>
  /**
   * Checks a code; every check counts, also those that come at the same time. A link that leads to
   * another upstream is void.
   */
  check(handle: string, code: string, upstream?: string): Promise<CodeOutcome>
  /** Forgets the tries so far, after a right code that nothing came of. */
  forgetTries(handle: string): Promise<void>
  /** Uses the link up: of any number of callers one gets true. */
  use(handle: string): Promise<boolean>
}

/** Links live `ttlSeconds`; the store sees hashes of handle and code. */
export function createSignInLinks(
  { store, now }: { readonly store: Store; readonly now: () => number },
  { ttlSeconds }: { readonly ttlSeconds: number },
): SignInLinks {
  const key = (handle: string) => `sign-in-link:{${sha256(handle)}}`

  /** Counts one try, guarded, so that parallel guesses cannot share it. */
  async function countTry(handle: string): Promise<LinkRecord | undefined> {
    for (;;) {
      const record = await store.get<LinkRecord>(key(handle))
      if (record === undefined || record.tries >= MOST_TRIES) return undefined
      const tries = record.tries + 1
      const { outcome } = await store.patch(key(handle), { tries }, { ifRev: record.rev })
      if (outcome === 'written') return { ...record, tries }
    }
  }

  return {
    async issue(sessionId, clientName, storage, upstream) {
      const handle = createId('lnk')
      const code = shortCode()
      const record = {
        sessionId,
        codeHash: codeHash(handle, code),
        clientName,
        since: now(),
        tries: 0,
        ...(upstream !== undefined && { upstream }),
      }
      await storage?.spend(documentBytes(record))
      await store.set(key(handle), record, ttlSeconds)
      return { handle, code, ttlSeconds, expiresAt: new Date(now() + ttlSeconds * 1000) }
    },
    async describe(handle) {
      const record = await store.get<LinkRecord>(key(handle))
      return record && record.tries < MOST_TRIES ? facts(record) : undefined
    },
    async check(handle, code, upstream) {
      const record = await countTry(handle)
      if (record?.upstream !== upstream || record === undefined) return { outcome: 'void' }
      if (timingSafeEqualStrings(record.codeHash, codeHash(handle, code))) {
        return { outcome: 'right', link: facts(record) }
      }
      if (record.tries < MOST_TRIES)
        return { outcome: 'wrong', triesLeft: MOST_TRIES - record.tries }
      await store.delete(key(handle))
      return { outcome: 'void' }
    },
    async forgetTries(handle) {
      await store.patch(key(handle), { tries: 0 })
    },
    use: async (handle) => (await store.take(key(handle))) !== undefined,
  }
}

/** People type lower case, leave the dash out, and take O for 0. */
function codeHash(handle: string, code: string): string {
  const typed = code.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  return sha256(`${handle}:${typed}`)
}

function facts({ sessionId, clientName, since, upstream }: LinkRecord): SignInLinkFacts {
  const leadsTo = upstream === undefined ? {} : { upstream }
  return { sessionId, clientName, since: new Date(since), ...leadsTo }
}
