/**
 * Refuses a call for lack of scopes before anything runs or a stream starts, in every transport.
 */

import type { ScopeMap } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Caller, TokenCaller } from '../session/caller.ts'
import { bearerChallenge } from './challenge.ts'
import type { Resource } from './resources.ts'
import { issuerScopes } from './scope-map.ts'

/** What a request asks for: a tool or a prompt by its name, a resource by its URI. */
export interface AskedFor {
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly name: string
}

/**
 * The scopes that what is asked for needs; none for what there is not, or what its caller does not
 * see.
 */
export type ScopesFor = (asked: AskedFor, caller: TokenCaller) => readonly string[]

/**
 * Looks at what was posted, whatever its era: a request for a tool, a resource or a prompt whose
 * scopes the token lacks is refused (2026-07-28, basic/authorization, "Scope Challenge Handling").
 * The challenge names the scopes granted already as well, so that the client does not lose them.
 * @throws AppError `insufficient_scope` with a challenge
 */
export type RequireScopes = (caller: Caller, message: unknown, resource: Resource) => void

/** `scopeMap` gives the names under which an external issuer grants the scopes. */
export function createRequireScopes(scopesFor: ScopesFor, scopeMap: ScopeMap = {}): RequireScopes {
  return (caller, message, resource) => {
    const asked = caller.kind === 'token' ? askedFor(message) : undefined
    if (caller.kind !== 'token' || asked === undefined) return
    const needed = scopesFor(asked, caller)
    const missing = needed.filter((scope) => !caller.scopes.includes(scope))
    if (missing.length === 0) return
    const description = `${nameOf(asked)} needs the scope ${missing.join(' ')}.`
    const scopes = issuerScopes([...caller.scopes, ...needed], scopeMap)
    const challenge = bearerChallenge({
      ...{ resource, scopes, description },
      error: 'insufficient_scope',
    })
    throw new AppError('insufficient_scope', description, { challenge })
  }
}

const KINDS: Readonly<Record<string, AskedFor['kind']>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'resources/subscribe': 'resource',
  'prompts/get': 'prompt',
}

function askedFor(message: unknown): AskedFor | undefined {
  const { method, params } = (message ?? {}) as {
    readonly method?: unknown
    readonly params?: { readonly name?: unknown; readonly uri?: unknown }
  }
  const kind =
    typeof method === 'string' && Object.hasOwn(KINDS, method) ? KINDS[method] : undefined
  const name = kind === 'resource' ? params?.uri : params?.name
  return kind !== undefined && typeof name === 'string' ? { kind, name } : undefined
}

/** A URI is the client's own text, which does not belong into a header. */
function nameOf({ kind, name }: AskedFor): string {
  return kind === 'resource' ? 'This resource' : `The ${kind} ${name}`
}
