/**
 * What an `input_required` round leaves with the client (2026-07-28, basic/patterns/mrtr). Sealed
 * rather than signed, since it may hold a session handle; bound to caller, tool and arguments, so
 * that it opens for nothing else.
 */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { CarriedState } from '../engine/call.ts'

const PURPOSE = 'request-state'

/** What a state belongs to. */
export interface StateBinding {
  readonly principal: string
  readonly tool: string
  readonly arguments: unknown
}

export interface RequestStates {
  seal(state: CarriedState, binding: StateBinding): string
  /** @throws ProtocolError -32602 for a state that is edited, expired or belongs elsewhere */
  open(sealed: string, binding: StateBinding): CarriedState
}

export function createRequestStates(
  { keyRing, now }: { readonly keyRing: KeyRing; readonly now: () => number },
  { ttlSeconds }: { readonly ttlSeconds: number },
): RequestStates {
  return {
    seal(state, binding) {
      const expiresAt = now() + ttlSeconds * 1000
      return keyRing.seal(PURPOSE, JSON.stringify({ state, expiresAt }), context(binding))
    },
    open(sealed, binding) {
      const opened = keyRing.open(PURPOSE, sealed, context(binding))
      const { state, expiresAt } = JSON.parse(opened ?? '{}') as {
        state?: CarriedState
        expiresAt?: number
      }
      if (state !== undefined && expiresAt !== undefined && expiresAt > now()) return state
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState', {
        reason: 'invalid_request_state',
      })
    },
  }
}

function context({ principal, tool, arguments: input }: StateBinding): string {
  return sha256(JSON.stringify([principal, tool, canonical(input)]))
}

/** Arguments come back in whatever order the client's JSON library likes. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return { fields: fields.map(([name, item]) => [name, canonical(item)]) }
}
