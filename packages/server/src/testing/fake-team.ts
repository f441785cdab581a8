/** What tests give instead of a project's settings and services, and who calls. */

import type { HookDefinition } from '../engine/define-hook.ts'
import { declaredBy } from '../engine/define-services.ts'
import type { Env } from '../engine/env.ts'
import { type Caller, type CallerFacts, createCaller } from '../engine/identity.ts'
import { NO_TEAM, type Team } from '../engine/team.ts'
import type { Account } from '../engine/tool-context.ts'

/** For each service that is used, those of its members that are used. */
type FakeServices<Services> = { readonly [Name in keyof Services]?: Partial<Services[Name]> }

export interface FakeTeam<E extends Env> {
  /** Values of settings; the others have the defaults that `src/mcp.ts` declares. */
  readonly settings?: Partial<E['settings']>
  /** What takes the place of services. */
  readonly services?: FakeServices<E['services']>
  /** Who calls; without a token if left out. */
  readonly caller?: Partial<CallerFacts>
  readonly hooks?: readonly HookDefinition<E>[]
}

/** The team that a declaration sees in a test. */
export function fakeTeam<E extends Env>(declaration: object, fakes: FakeTeam<E>): Team {
  const { settings = {}, services = {}, hooks = [] } = fakes
  const env = { settings: { ...defaultsOf(declaration), ...settings }, services }
  // Inside the types of an environment are not known.
  return { ...NO_TEAM, env, hooks: hooks as readonly HookDefinition[] }
}

/** The caller of a test, as the server would know it: one with a token where something of it is given. */
export function fakeCaller(given: {
  readonly caller?: Partial<CallerFacts>
  readonly scopes?: readonly string[]
  readonly signedInAs?: Account
}): { readonly caller: Caller; readonly scopes: readonly string[] | undefined } {
  const { caller, signedInAs: account, scopes = caller?.scopes } = given
  if (caller === undefined && scopes === undefined) return { caller: createCaller(), scopes }
  const signedIn = account && { subject: account.sub, claims: { ...account } }
  const facts = { kind: 'token', ...signedIn, ...(scopes && { scopes }), ...caller } as const
  const isToken = facts.kind === 'token'
  return { caller: createCaller(facts), scopes: isToken ? (scopes ?? []) : undefined }
}

function defaultsOf(declaration: object): Readonly<Record<string, unknown>> {
  const shape = declaredBy(declaration)?.settings?.shape ?? {}
  const parsed = Object.entries(shape).map(
    ([name, schema]) => [name, schema.safeParse(undefined)] as const,
  )
  const defaults = parsed.filter(([, { data }]) => data !== undefined)
  return Object.fromEntries(defaults.map(([name, { data }]) => [name, data]))
}
