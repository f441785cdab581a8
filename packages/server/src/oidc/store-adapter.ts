/**
 * Storage adapter of `oidc-provider`, on the server's store, which all nodes share: single use of
 * codes, refresh token rotation, and reuse detection.
 */

import { randomBytes } from 'node:crypto'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { Entries, Entry } from './entries.ts'

/** Grace periods; without one, any reuse counts as a replay and revokes the whole grant. */
export interface StoreAdapterOptions {
  /**
   * How long a second use of a code is only refused, as a race between nodes or retries. Default 0.
   * Afterwards, a second use is a replay and revokes the grant (RFC 6749, 4.1.2).
   */
  readonly codeRaceSeconds?: number
  /** How long reuse of a rotated refresh token returns the same successor. Default 0: never. */
  readonly refreshGraceSeconds?: number
  /** Called when a refresh token is used, with the value of the successor. */
  readonly onSuccessor?: (value: string) => void
}

/** Creates the adapter factory of one provider. */
export function createStoreAdapter(
  entries: Entries,
  options: StoreAdapterOptions = {},
): AdapterFactory {
  return (model) => createModelAdapter(entries, model, options)
}

function createModelAdapter(
  entries: Entries,
  model: string,
  options: StoreAdapterOptions,
): Adapter {
  const uses = createUses(entries, model, options)

  return {
    async find(id) {
      const entry = await entries.read(model, id)
      if (entry === undefined) return undefined
      const { consumed } = entry
      const payload = unexpired(entry.payload)
      const grantId = model === 'Grant' ? id : payload.grantId
      if (grantId && (await entries.isRevoked(grantId))) return undefined
      if (consumed === undefined) return payload
      const outcome = await uses.classifyReuse(id, entry)
      if (outcome === 'gone') return undefined
      return outcome === 'good' ? payload : { ...payload, consumed }
    },

    // Concurrent exchanges may create the same successor twice: a used one must stay used.
    upsert: (id, payload, expiresIn) =>
      model === 'RefreshToken'
        ? entries.create(model, id, payload, expiresIn)
        : entries.write(model, id, payload, expiresIn),

    /** Codes and refresh tokens are single-use across all nodes. */
    async consume(id) {
      const successor = await uses.use(id)
      if (successor !== undefined) options.onSuccessor?.(successor)
    },

    async destroy(id) {
      await entries.remove(model, id)
    },
    revokeByGrantId: (grantId) => entries.revokeGrant(grantId),

    // Needed only for device codes and tokens bound to a browser session, which we do not issue.
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
  }
}

/** First and repeated uses of the codes and refresh tokens of one model. */
function createUses(
  entries: Entries,
  model: string,
  { codeRaceSeconds = 0, refreshGraceSeconds = 0 }: StoreAdapterOptions,
) {
  const graceSeconds = model === 'RefreshToken' ? refreshGraceSeconds : 0
  const markSeconds = model === 'AuthorizationCode' ? codeRaceSeconds : graceSeconds

  /** Classifies a reuse: `good` within the grace, `gone` after a lost race, `used` for a replay. */
  async function classifyReuse(
    id: string,
    { successor }: Entry,
  ): Promise<'good' | 'gone' | 'used'> {
    if (markSeconds === 0 || !(await entries.isMarked(model, id))) return 'used'
    if (graceSeconds === 0) return 'gone'
    const next = successor === undefined ? undefined : await entries.read(model, successor)
    return next?.consumed === undefined ? 'good' : 'used'
  }

  /** The first use wins; concurrent uses within the grace get the same successor. */
  async function use(id: string): Promise<string | undefined> {
    const entry = await entries.read(model, id)
    if (entry !== undefined && entry.consumed === undefined) {
      // Marks before consuming, so that no request sees a consumed entry without its grace mark.
      if (markSeconds > 0) await entries.markUse(model, id, markSeconds)
      const successor = graceSeconds > 0 ? randomBytes(32).toString('base64url') : undefined
      if (await entries.consume(model, id, entry.rev, successor)) return successor
    }
    const used = graceSeconds > 0 ? await entries.read(model, id) : undefined
    if (used?.successor === undefined) throw new errors.InvalidGrant('already used')
    return used.successor
  }

  return { use, classifyReuse }
}

/**
 * Extends `exp` past this process's clock: the store's TTL decides about expiry, because the local
 * clock, which the library uses, may be wrong (clock skew).
 */
export function unexpired(payload: AdapterPayload): AdapterPayload {
  if (payload.exp === undefined) return payload
  return { ...payload, exp: Math.max(payload.exp, Math.ceil(Date.now() / 1000) + 1) }
}
