/** Cache of the clients' public keys from their `jwks_uri`, shared by all nodes. */

import type { JSONWebKeySet, JWK } from 'jose'
import { z } from 'zod'
import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'
import { type DocumentCacheDeps, mayFetchFrom } from './document-cache.ts'
import { type GuardOptions, guardedRequest } from './guarded-request.ts'

/** Times in milliseconds of Unix time. */
type Kept = {
  readonly keys: readonly JWK[]
  /** Of the last successful fetch; 0 if there was none. */
  readonly readAt: number
  /** Of the last attempt, successful or not. */
  readonly askedAt: number
}

const MINUTE_MS = 60_000
const CURRENT_MS = 10 * MINUTE_MS
const LOOK_AGAIN_MS = MINUTE_MS
const RETRY_MS = 5000
/** Stale-if-error: how long cached keys are served while their host is unavailable. */
const STALE_MS = 60 * MINUTE_MS
const KEPT_SECONDS = (STALE_MS + CURRENT_MS) / 1000
const MAX_BYTES = 64 * 1024
const MOST_KEYS = 30

export type ClientKeys = ReturnType<typeof createClientKeys>

export function createClientKeys(
  { store, now }: DocumentCacheDeps,
  guard: Omit<GuardOptions, 'maxBytes'>,
) {
  const keyOf = (address: string) => `client-keys:{${sha256(address)}}`

  async function refresh(
    address: string,
    known: Kept | undefined,
    storage: StorageBudget | undefined,
  ): Promise<Kept | undefined> {
    if (!(await mayFetchFrom(store, address, storage?.network))) return known
    const keys = await fetchKeys(address, guard)
    const askedAt = now()
    const kept: Kept =
      keys === undefined
        ? { keys: known?.keys ?? [], readAt: known?.readAt ?? 0, askedAt }
        : { keys, readAt: askedAt, askedAt }
    if (keys !== undefined) await storage?.spend(documentBytes(kept))
    await store.set(keyOf(address), kept, KEPT_SECONDS)
    return kept
  }

  return {
    /**
     * The usable keys at an address, from the store or from its host. An unknown `kid` triggers a
     * refetch, at most once a minute. New cache entries are charged to `storage`.
     * @throws AppError `unavailable` when the host or the store is unavailable, `too_many_requests`
     * when `storage` is exhausted
     */
    async keysAt(
      address: string,
      kid: string | undefined,
      storage?: StorageBudget,
    ): Promise<JSONWebKeySet> {
      let kept: Kept | undefined = await store.get<Kept>(keyOf(address))
      if (kept === undefined || isDue(kept, kid, now())) {
        kept = await refresh(address, kept, storage)
      }
      if (kept !== undefined && now() - kept.readAt < STALE_MS) return { keys: [...kept.keys] }
      throw new AppError('unavailable', "The client's keys cannot be read. Try again shortly.", {
        retryAfterSeconds: 1,
      })
    },
  }
}

/** Whether to ask for keys again: they are old or lack `kid`, and were not asked for lately. */
function isDue({ keys, readAt, askedAt }: Kept, kid: string | undefined, nowMs: number): boolean {
  const isCurrent = nowMs - readAt < CURRENT_MS
  const isKnown = kid === undefined || keys.some((key) => key.kid === kid)
  const pauseMs = askedAt === readAt ? LOOK_AGAIN_MS : RETRY_MS
  return !(isCurrent && isKnown) && nowMs - askedAt >= pauseMs
}

/** Undefined if the host does not answer with a set of keys. */
async function fetchKeys(
  address: string,
  guard: Omit<GuardOptions, 'maxBytes'>,
): Promise<readonly JWK[] | undefined> {
  try {
    const { status, text } = await guardedRequest(address, { ...guard, maxBytes: MAX_BYTES })
    return status === 200 ? usableKeys(JSON.parse(text)) : undefined
  } catch {
    return undefined
  }
}

const base64url = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[\w-]+$/)
const common = { kid: z.string().max(256).optional(), alg: z.string().max(32).optional() }
/** Public keys for signatures only; private and symmetric keys do not match the schema. */
const publicKey = z.discriminatedUnion('kty', [
  z.object({
    ...common,
    kty: z.literal('EC'),
    crv: z.string(),
    x: base64url(88),
    y: base64url(88),
  }),
  z.object({ ...common, kty: z.literal('OKP'), crv: z.string(), x: base64url(88) }),
  // 2048 to 8192 bits, and a short exponent: a signature must be cheap to verify.
  z.object({ ...common, kty: z.literal('RSA'), n: base64url(1366).min(342), e: base64url(6) }),
])
const forSignatures = z.object({
  d: z.never().optional(),
  use: z.literal('sig').optional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes('verify'))
    .optional(),
})
const keySet = z.object({ keys: z.array(z.unknown()) })

/** The public signature keys of a JWK set (RFC 7517, section 5); undefined if it is malformed. */
export function usableKeys(given: unknown): readonly JWK[] | undefined {
  const set = keySet.safeParse(given).data
  return set?.keys.slice(0, MOST_KEYS).flatMap((key) => {
    const parsed = forSignatures.safeParse(key).success ? publicKey.safeParse(key).data : undefined
    return parsed === undefined ? [] : [parsed as JWK]
  })
}
