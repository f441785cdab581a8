/** Who authenticated to this server, as tools, resources, prompts, hooks and `visible` see it. */

import { inspect } from 'node:util'

export interface CallerFacts {
  /** `local` is the one person whom a process serves over stdio. */
  readonly kind: 'anonymous' | 'token' | 'local'
  /**
   * Who the access token stands for: its `sub`, or, where this server issues the tokens, the account
   * that signed in upstream. Undefined for callers without a token and before such a sign-in.
   */
  readonly subject: string | undefined
  /** The client that the token was issued to; undefined without a token. */
  readonly clientId: string | undefined
  /** Those of the token; none without one. */
  readonly scopes: readonly string[]
  /**
   * The verified payload of an external issuer's token, or its introspection response; `sub`, `name` and
   * `email` of the account where this server issues the tokens. Empty without a token.
   */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Who authenticated to this server. `session.account()` says who signed in upstream. */
export type Caller = CallerFacts

const HIDDEN = '[caller]'

const NOBODY: CallerFacts = {
  kind: 'anonymous',
  subject: undefined,
  clientId: undefined,
  scopes: Object.freeze([]),
  claims: Object.freeze({}),
}

/** Getters on the prototype: logging, spreading or serializing a caller shows nothing of it. */
class HiddenCaller implements CallerFacts {
  readonly #facts: CallerFacts

  constructor(facts: CallerFacts) {
    this.#facts = facts
  }

  get kind() {
    return this.#facts.kind
  }

  get subject() {
    return this.#facts.subject
  }

  get clientId() {
    return this.#facts.clientId
  }

  get scopes() {
    return this.#facts.scopes
  }

  get claims() {
    return this.#facts.claims
  }

  toJSON(): string {
    return HIDDEN
  }

  toString(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}

/** A caller by what is known of it; an anonymous one if nothing is. */
export function createCaller(facts: Partial<CallerFacts> = {}): Caller {
  return new HiddenCaller({ ...NOBODY, ...facts })
}

export const ANONYMOUS = createCaller()
export const LOCAL = createCaller({ kind: 'local' })
