/** Where `oidc-provider` keeps its state: the server's store, so that nodes share it. */

import { randomBytes } from 'node:crypto'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { Entries, Entry } from './entries.ts'

/** Without them whoever shows again what was used has all revoked that it gave. */
export interface StoreAdapterOptions {
  /**
   * How long those who lost the race for a code get no more than a refusal. Default 0; after that
   * whoever shows it has it from somebody else (RFC 6749, 4.1.2).
   */
  readonly codeRaceSeconds?: number
  /** How long a refresh token that was used gives the same successor again. Default 0: never. */
  readonly refreshGraceSeconds?: number
  /** Told, while a refresh token is exchanged, which value its successor has. */
  readonly onSuccessor?: (value: string) => void
}

/** Creates the adapters of one provider. */
export function createStoreAdapter(
  entries: Entries,
  options: StoreAdapterOptions = {},
): AdapterFactory {
  return (model) => createModelAdapter(entries, model, options)
}

function createModelAdapter(
  entries: Entries,
  model: string,
  { codeRaceSeconds = 0, refreshGraceSeconds = 0, onSuccessor }: StoreAdapterOptions,
): Adapter {
  const graceSeconds = model === 'RefreshToken' ? refreshGraceSeconds : 0
  const markSeconds = model === 'AuthorizationCode' ? codeRaceSeconds : graceSeconds

  /** What an entry is to somebody who shows it after its use. */
  async function secondLook(id: string, { successor }: Entry): Promise<'good' | 'gone' | 'used'> {
    if (markSeconds === 0 || !(await entries.isMarked(model, id))) return 'used'
    if (graceSeconds === 0) return 'gone'
    const next = successor === undefined ? undefined : await entries.read(model, successor)
    return next?.consumed === undefined ? 'good' : 'used'
  }

  /** The first one wins; within the grace the others get what it got. */
  async function use(id: string): Promise<string | undefined> {
    const entry = await entries.read(model, id)
    if (entry !== undefined && entry.consumed === undefined) {
      // Before the use is written, so that nobody sees one without the other.
      if (markSeconds > 0) await entries.markUse(model, id, markSeconds)
      const successor = graceSeconds > 0 ? randomBytes(32).toString('base64url') : undefined
      if (await entries.consume(model, id, entry.rev, successor)) return successor
    }
    const used = graceSeconds > 0 ? await entries.read(model, id) : undefined
    if (used?.successor === undefined) throw new errors.InvalidGrant('already used')
    return used.successor
  }

  return {
    async find(id) {
      const entry = await entries.read(model, id)
      if (entry === undefined) return undefined
      const { consumed } = entry
      const payload = unexpired(entry.payload)
      const grantId = model === 'Grant' ? id : payload.grantId
      if (grantId && (await entries.isRevoked(grantId))) return undefined
      if (consumed === undefined) return payload
      const outcome = await secondLook(id, entry)
      if (outcome === 'gone') return undefined
      return outcome === 'good' ? payload : { ...payload, consumed }
    },

    // A refresh token may be made twice, by those who share it: what was used must stay used.
    upsert: (id, payload, expiresIn) =>
      model === 'RefreshToken'
        ? entries.create(model, id, payload, expiresIn)
        : entries.write(model, id, payload, expiresIn),

    /** A code or a refresh token is good once, on all nodes together. */
    async consume(id) {
      const successor = await use(id)
      if (successor !== undefined) onSuccessor?.(successor)
    },

    async destroy(id) {
      await entries.remove(model, id)
    },
    revokeByGrantId: (grantId) => entries.revokeGrant(grantId),

    // Asked only for device codes and for tokens bound to a browser session: there are neither.
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
  }
}

/**
 * The store's clock decides: what it still has is good. The library looks at this process's own,
 * which may be wrong.
 */
export function unexpired(payload: AdapterPayload): AdapterPayload {
  if (payload.exp === undefined) return payload
  return { ...payload, exp: Math.max(payload.exp, Math.ceil(Date.now() / 1000) + 1) }
}
