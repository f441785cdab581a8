/** Test doubles for a project's settings and services, and for the caller. */

import type { HookDefinition } from '../engine/define-hook.ts'
import { declaredBy } from '../engine/define-services.ts'
import type { Env } from '../engine/env.ts'
import { type Caller, type CallerFacts, createCaller, hasToken } from '../engine/identity.ts'
import { NO_TEAM, type Team } from '../engine/team.ts'
import type { Account } from '../engine/tool-context.ts'

/** The members that the code under test uses, by service. */
type FakeServices<Services> = { readonly [Name in keyof Services]?: Partial<Services[Name]> }

export interface FakeTeam<E extends Env> {
  /** Values of settings; the others keep the defaults from `src/mcp.ts`. */
  readonly settings?: Partial<E['settings']>
  /** Replacements for services. */
  readonly services?: FakeServices<E['services']>
  /** The caller; one without a token by default. */
  readonly caller?: Partial<CallerFacts>
  readonly hooks?: readonly HookDefinition<E>[]
}

/** The environment of a declaration in a test. */
export function fakeTeam<E extends Env>(declaration: object, fakes: FakeTeam<E>): Team {
  const { settings = {}, services = {}, hooks = [] } = fakes
  const env = {
    settings: { ...defaultsOf(declaration), ...settings },
    services: withMissing(services),
  }
  // Inside, the types of an environment are unknown.
  return { ...NO_TEAM, env, hooks: hooks as readonly HookDefinition[] }
}

/**
 * The caller in a test, in the form that the server provides; has a token if any field is given.
 */
export function fakeCaller(given: {
  readonly caller?: Partial<CallerFacts>
  readonly scopes?: readonly string[]
  readonly signedInAs?: Account
}): { readonly caller: Caller; readonly scopes: readonly string[] | undefined } {
  const { caller, signedInAs: account, scopes = caller?.scopes } = given
  if (caller === undefined && scopes === undefined) return { caller: createCaller(), scopes }
  const signedIn = account && { subject: account.sub, claims: { ...account } }
  const facts = { kind: 'token', ...signedIn, ...(scopes && { scopes }), ...caller } as const
  return { caller: createCaller(facts), scopes: hasToken(facts) ? (scopes ?? []) : undefined }
}

/**
 * The replacements; the use of any other service throws an error with its name. Reading it alone, as
 * destructuring does, is no use.
 */
function withMissing(services: object): object {
  return new Proxy(services, {
    get(given, name) {
      if (typeof name === 'symbol' || name in given) return Reflect.get(given, name)
      return new Proxy(Object.freeze({}), {
        get(_service, member) {
          // Looked for in any value, by promises and loggers.
          if (typeof member === 'symbol' || member === 'then' || member === 'toJSON')
            return undefined
          throw new Error(`The test has no service "${name}": { services: { ${name}: … } }`)
        },
      })
    },
  })
}

function defaultsOf(declaration: object): Readonly<Record<string, unknown>> {
  const shape = declaredBy(declaration)?.settings?.shape ?? {}
  const parsed = Object.entries(shape).map(
    ([name, schema]) => [name, schema.safeParse(undefined)] as const,
  )
  const defaults = parsed.filter(([, { data }]) => data !== undefined)
  return Object.fromEntries(defaults.map(([name, { data }]) => [name, data]))
}
