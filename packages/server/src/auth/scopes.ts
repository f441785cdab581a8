/**
 * Scopes: the supported and the advertised ones, their mapping to an external issuer's
 * (`OAUTH_SCOPE_MAP`), and step-up authorization.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { ScopeMap } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Caller, TokenCaller } from '../session/caller.ts'
import type { ReadIssuerMetadata } from './issuer-metadata.ts'
import { bearerChallenge, type Resource } from './resources.ts'

/** The scope for access as such; tools may require further scopes. */
const BASE_SCOPE = 'mcp'

export interface Scopes {
  /** All scopes, in a stable order: `scopes_supported` (RFC 9728, 2). */
  readonly supported: readonly string[]
  /** The scopes that the challenge to a client without a token names. */
  readonly challenged: readonly string[]
}

interface ScopeOptions {
  /** Scopes that the operator configured; they replace the base scope. */
  readonly defaults?: readonly string[] | undefined
  /** The names under which an external issuer grants scopes; clients request those names. */
  readonly scopeMap?: ScopeMap | undefined
}

/** `toolScopes` may contain duplicates. */
export function createScopes(toolScopes: Iterable<string>, options: ScopeOptions = {}): Scopes {
  const { defaults, scopeMap = {} } = options
  const known = [...new Set([...(defaults ?? [BASE_SCOPE]), ...[...toolScopes].sort()])]
  const supported = issuerScopes(known, scopeMap)
  return { supported, challenged: defaults ? issuerScopes(defaults, scopeMap) : supported }
}

/** The scopes for an issuer that does not support the base scope and may refuse requests for it. */
function withoutBaseScope({ supported, challenged }: Scopes): Scopes {
  const isOther = (scope: string) => scope !== BASE_SCOPE
  return { supported: supported.filter(isOther), challenged: challenged.filter(isOther) }
}

/** Whether the issuer's `scopes_supported` lists the base scope. */
function knowsBaseScope(supported: readonly string[] | undefined): boolean {
  return supported?.includes(BASE_SCOPE) ?? false
}

/** The tool scopes of one scope of the issuer: the scope itself if the map has no entry. */
export function scopesFor(name: string, map: ScopeMap): readonly string[] {
  return Object.hasOwn(map, name) ? (map[name] ?? []) : [name]
}

/** The names under which the issuer grants the scopes; the first one if several grant a scope. */
function issuerScopes(scopes: readonly string[], map: ScopeMap): readonly string[] {
  const entries = Object.entries(map)
  const nameOf = (scope: string) => entries.find(([, each]) => each.includes(scope))?.[0] ?? scope
  return [...new Set(scopes.map(nameOf))]
}

/** Never rejects. */
export type AdvertisedScopes = () => Promise<Scopes>

interface AdvertisedScopesDeps {
  readonly readMetadata: ReadIssuerMetadata
  readonly now: () => number
}

/** Bounds how long an unauthenticated request waits for an issuer that does not respond. */
const WAIT_MS = 1000
const TRY_AGAIN_MS = 10_000

/**
 * Advertises the base scope only if the issuer's `scopes_supported` lists it: strict issuers refuse
 * requests for unknown scopes. With `isChosen`, the operator configured the scopes: no change.
 */
export function createAdvertisedScopes(
  { readMetadata, now }: AdvertisedScopesDeps,
  scopes: Scopes,
  isChosen: boolean,
): AdvertisedScopes {
  const strict = withoutBaseScope(scopes)
  if (isChosen || strict.supported.length === scopes.supported.length) return async () => scopes
  let failedAt = Number.NEGATIVE_INFINITY

  async function known(): Promise<Scopes> {
    try {
      const { scopes_supported: supported } = await readMetadata()
      return knowsBaseScope(supported) ? scopes : strict
    } catch {
      failedAt = now()
      return strict
    }
  }

  return async () => {
    if (now() - failedAt < TRY_AGAIN_MS) return strict
    return Promise.race([known(), delay(WAIT_MS, strict, { ref: false })])
  }
}

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
