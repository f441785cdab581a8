/**
 * What an `input_required` round leaves with the client (2026-07-28, basic/patterns/mrtr). Sealed
 * rather than signed, since it may hold a session handle; bound to caller, method and arguments, so
 * that it opens for nothing else; good once.
 */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { RequestStateContent } from '../engine/call.ts'
import type { Store } from '../store/port.ts'
import { documentBytes, type StorageBudget } from '../store/storage-budget.ts'

const PURPOSE = 'request-state'

/** What a state belongs to. */
export interface StateBinding {
  readonly principal: string
  /** The kind and name of what was asked for: `tool service`. */
  readonly for: string
  readonly arguments: unknown
}

export interface RequestStates {
  seal(state: RequestStateContent, binding: StateBinding): string
  /**
   * That it was used counts for `storage`.
   * @throws ProtocolError -32602 for a state that is edited, expired, used or belongs elsewhere,
   * AppError `too_many_requests` when `storage` is exhausted
   */
  open(sealed: string, binding: StateBinding, storage?: StorageBudget): Promise<RequestStateContent>
}

export interface RequestStateDeps {
  readonly keyRing: KeyRing
  readonly store: Store
  readonly now: () => number
}

export function createRequestStates(
  { keyRing, store, now }: RequestStateDeps,
  { ttlSeconds }: { readonly ttlSeconds: number },
): RequestStates {
  return {
    seal(state, binding) {
      const expiresAt = now() + ttlSeconds * 1000
      return keyRing.seal(PURPOSE, JSON.stringify({ state, expiresAt }), context(binding))
    },
    async open(sealed, binding, storage) {
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

/** Arguments come back in whatever order the client's JSON library likes. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return { fields: fields.map(([name, item]) => [name, canonical(item)]) }
}
