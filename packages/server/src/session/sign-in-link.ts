/**
 * One-time sign-in links. A link alone does not suffice: the page requires the code that `login`
 * showed in the chat, which prevents remote phishing with a forwarded link (RFC 8628, 5.4).
 */

import { sha256, timingSafeEqualStrings } from '../crypto/hash.ts'
import { createId, shortCode } from '../crypto/random-id.ts'
import type { Store } from '../store/port.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'

/** Attempts at the code before the link becomes invalid (brute-force limit): 5 of 2^40. */
const MOST_TRIES = 5

interface LinkRecord {
  readonly [field: string]: unknown
  readonly sessionId: string
  readonly codeHash: string
  readonly clientName: string
  /** Unix time in milliseconds. */
  readonly since: number
  readonly tries: number
  /** Absent for the first upstream. */
  readonly upstream?: string
}

export interface SignInLinkFacts {
  readonly sessionId: string
  /** Self-declared name of the requesting client. */
  readonly clientName: string
  readonly since: Date
  /** The additional upstream of the link; absent for the first. */
  readonly upstream?: string
}

export type CodeOutcome =
  | { readonly outcome: 'right'; readonly link: SignInLinkFacts }
  | { readonly outcome: 'wrong'; readonly triesLeft: number }
  /** Unknown, expired, used, or out of attempts. */
  | { readonly outcome: 'void' }

export interface NewLink {
  readonly handle: string
  readonly code: string
  readonly expiresAt: Date
  readonly ttlSeconds: number
}

const key = (handle: string) => `sign-in-link:{${sha256(handle)}}`

export type SignInLinks = ReturnType<typeof createSignInLinks>

/** Links expire after `ttlSeconds`; the store holds only hashes of handle and code. */
export function createSignInLinks(
  { store, now }: { readonly store: Store; readonly now: () => number },
  { ttlSeconds }: { readonly ttlSeconds: number },
) {
  return {
    /** @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then */
    async issue(
      sessionId: string,
      clientName: string,
      storage?: StorageBudget,
      upstream?: string,
    ): Promise<NewLink> {
      const handle = createId('lnk')
      const code = shortCode()
      const record: LinkRecord = {
        ...{ sessionId, codeHash: codeHash(handle, code), clientName, since: now(), tries: 0 },
        ...(upstream !== undefined && { upstream }),
      }
      await storage?.spend(documentBytes(record))
      await store.set(key(handle), record, ttlSeconds)
      return { handle, code, ttlSeconds, expiresAt: new Date(now() + ttlSeconds * 1000) }
    },
    /** The facts that the page shows; does not consume the link. */
    async describe(handle: string): Promise<SignInLinkFacts | undefined> {
      const record = await store.get<LinkRecord>(key(handle))
      return record && record.tries < MOST_TRIES ? facts(record) : undefined
    },
    /**
     * Checks a code; every check counts as an attempt, concurrent ones too. A link of another
     * upstream is void.
     */
    async check(handle: string, code: string, upstream?: string): Promise<CodeOutcome> {
      const record = await countTry(store, handle)
      if (record?.upstream !== upstream || record === undefined) return { outcome: 'void' }
      if (timingSafeEqualStrings(record.codeHash, codeHash(handle, code))) {
        return { outcome: 'right', link: facts(record) }
      }
      if (record.tries < MOST_TRIES)
        return { outcome: 'wrong', triesLeft: MOST_TRIES - record.tries }
      await store.delete(key(handle))
      return { outcome: 'void' }
    },
    /** Resets the attempts, after a correct code whose sign-in could not start. */
    async forgetTries(handle: string): Promise<void> {
      await store.patch(key(handle), { tries: 0 })
    },
    /** Consumes the link, atomically: exactly one of several callers gets true. */
    use: async (handle: string): Promise<boolean> => (await store.take(key(handle))) !== undefined,
  }
}

/** Counts one attempt with compare-and-set, so that concurrent guesses each count. */
async function countTry(store: Store, handle: string): Promise<LinkRecord | undefined> {
  for (;;) {
    const record = await store.get<LinkRecord>(key(handle))
    if (record === undefined || record.tries >= MOST_TRIES) return undefined
    const tries = record.tries + 1
    const { outcome } = await store.patch(key(handle), { tries }, { ifRev: record.rev })
    if (outcome === 'written') return { ...record, tries }
  }
}

/** Normalizes case, dashes and look-alikes (O for 0, I and L for 1) before hashing. */
function codeHash(handle: string, code: string): string {
  const typed = code.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  return sha256(`${handle}:${typed}`)
}

function facts({ sessionId, clientName, since, upstream }: LinkRecord): SignInLinkFacts {
  const leadsTo = upstream === undefined ? {} : { upstream }
  return { sessionId, clientName, since: new Date(since), ...leadsTo }
}
