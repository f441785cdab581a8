/** Refuses a call for lack of scopes before anything runs or a stream starts, in every transport. */

import type { ScopeMap } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Caller, TokenCaller } from '../session/caller.ts'
import { bearerChallenge } from './challenge.ts'
import type { Resource } from './resources.ts'
import { issuerScopes } from './scope-map.ts'

/** The scopes a tool needs, by its name; none for a tool there is not, or that its caller does not see. */
export type ScopesOfTool = (tool: string, caller: TokenCaller) => readonly string[]

/**
 * Looks at what was posted, whatever its era: `tools/call` of a tool whose scopes the token lacks
 * is refused (2026-07-28, basic/authorization, "Scope Challenge Handling"). The challenge names the
 * scopes granted already as well, so that the client does not lose them.
 * @throws AppError `insufficient_scope` with a challenge
 */
export type RequireScopes = (caller: Caller, message: unknown, resource: Resource) => void

/** `scopeMap` gives the names under which an external issuer grants the scopes. */
export function createRequireScopes(
  scopesOfTool: ScopesOfTool,
  scopeMap: ScopeMap = {},
): RequireScopes {
  return (caller, message, resource) => {
    const tool = calledTool(message)
    if (caller.kind !== 'token' || tool === undefined) return
    const needed = scopesOfTool(tool, caller)
    const missing = needed.filter((scope) => !caller.scopes.includes(scope))
    if (missing.length === 0) return
    const description = `The tool ${tool} needs the scope ${missing.join(' ')}.`
    const scopes = issuerScopes([...caller.scopes, ...needed], scopeMap)
    const challenge = bearerChallenge({
      ...{ resource, scopes, description },
      error: 'insufficient_scope',
    })
    throw new AppError('insufficient_scope', description, { challenge })
  }
}

function calledTool(message: unknown): string | undefined {
  const { method, params } = (message ?? {}) as { method?: unknown; params?: { name?: unknown } }
  const name = method === 'tools/call' ? params?.name : undefined
  return typeof name === 'string' ? name : undefined
}
