/**
 * `requestState`: the state that an `input_required` round sends to the client (2026-07-28,
 * basic/patterns/mrtr). Encrypted, not just signed: it may contain a session handle. Bound to
 * caller, method and arguments; single use, which prevents replay.
 */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { RequestStateContent } from '../engine/call.ts'
import type { Store } from '../store/port.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'

const PURPOSE = 'request-state'

/** The caller and request that a state is bound to. */
export interface StateBinding {
  readonly principal: string
  /** Kind and name of the target, such as `tool service`. */
  readonly for: string
  readonly arguments: unknown
}

export interface RequestStateDeps {
  readonly keyRing: KeyRing
  readonly store: Store
  readonly now: () => number
}

export type RequestStates = ReturnType<typeof createRequestStates>

export function createRequestStates(
  { keyRing, store, now }: RequestStateDeps,
  { ttlSeconds }: { readonly ttlSeconds: number },
) {
  return {
    seal(state: RequestStateContent, binding: StateBinding): string {
      const expiresAt = now() + ttlSeconds * 1000
      return keyRing.seal(PURPOSE, JSON.stringify({ state, expiresAt }), context(binding))
    },
    /**
     * Opens a state once; the tombstone of its use is charged to `storage`.
     * @throws ProtocolError -32602 for a state that is modified, expired, used or bound otherwise,
     * AppError `too_many_requests` if `storage` is exhausted
     */
    async open(
      sealed: string,
      binding: StateBinding,
      storage?: StorageBudget,
    ): Promise<RequestStateContent> {
      const opened = keyRing.open(PURPOSE, sealed, context(binding))
      const { state, expiresAt } = JSON.parse(opened ?? '{}') as {
        state?: RequestStateContent
        expiresAt?: number
      }
      if (state === undefined || expiresAt === undefined || expiresAt <= now()) throw invalid()
      const used = { usedAt: now() }
      await storage?.spend(documentBytes(used))
      if (!(await store.create(`{${sha256(sealed)}}:used-state`, used, ttlSeconds))) throw invalid()
      return state
    },
  }
}

function invalid(): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState', {
    reason: 'invalid_request_state',
  })
}

function context(binding: StateBinding): string {
  return sha256(JSON.stringify([binding.principal, binding.for, canonical(binding.arguments)]))
}

/** Canonical form: clients may send the arguments again in a different member order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return { fields: fields.map(([name, item]) => [name, canonical(item)]) }
}
