/** Step-up authorization: refuses a call that lacks scopes before it runs or a stream starts. */

import type { ScopeMap } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Caller, TokenCaller } from '../session/caller.ts'
import { bearerChallenge } from './challenge.ts'
import type { Resource } from './resources.ts'
import { issuerScopes } from './scope-map.ts'

/** The target of a request: a tool or a prompt by its name, a resource by its URI. */
export interface AskedFor {
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly name: string
}

/** The scopes that a target requires; none if it does not exist or is not visible to the caller. */
export type ScopesFor = (asked: AskedFor, caller: TokenCaller) => readonly string[]

/**
 * Checks a posted message of either era: refuses a request for a tool, a resource or a prompt whose
 * scopes the token lacks (2026-07-28, basic/authorization, "Scope Challenge Handling"). The
 * challenge includes the granted scopes, so that the client keeps them after the step-up.
 * @throws AppError `insufficient_scope` with a challenge
 */
export type RequireScopes = (caller: Caller, message: unknown, resource: Resource) => void

/** `scopeMap` maps the scopes to the names under which an external issuer grants them. */
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

/** Omits a URI, which is client input and does not belong into a header. */
function nameOf({ kind, name }: AskedFor): string {
  return kind === 'resource' ? 'This resource' : `The ${kind} ${name}`
}
