/** The authenticated caller, as passed to tools, resources, prompts, hooks and `visible`. */

import { inspect } from 'node:util'

export interface CallerFacts {
  /**
   * `token`: an access token that acts for a person. `personal_token`: a personal access token, with
   * which a job acts for the person who made it. `client`: an access token of a client that acts for
   * itself, without a person. `local`: the only user of a stdio process.
   */
  readonly kind: 'anonymous' | 'token' | 'personal_token' | 'client' | 'local'
  /**
   * Subject of the access token: its `sub`, or, if this server issues the tokens, the account that
   * signed in upstream. Undefined without a token, before such a sign-in, and without a person.
   */
  readonly subject: string | undefined
  /** The client that the token was issued to; undefined without a token. */
  readonly clientId: string | undefined
  /** Scopes of the token; empty without one. */
  readonly scopes: readonly string[]
  /**
   * The verified payload of an external issuer's token, or its introspection response; `sub`,
   * `name` and `email` of the account if this server issues the tokens. Empty without a token.
   */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The authenticated caller. For the upstream sign-in, see `session.account()`. */
export type Caller = CallerFacts

const HIDDEN = '[caller]'

const NOBODY: CallerFacts = {
  kind: 'anonymous',
  subject: undefined,
  clientId: undefined,
  scopes: Object.freeze([]),
  claims: Object.freeze({}),
}

/** Getters on the prototype: logging, spreading or serializing a caller reveals nothing. */
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

/** Creates a caller from the known facts; anonymous by default. */
export function createCaller(facts: Partial<CallerFacts> = {}): Caller {
  return new HiddenCaller({ ...NOBODY, ...facts })
}

/** Whether the caller has an access token, whose scopes apply. */
export function hasToken({ kind }: Pick<CallerFacts, 'kind'>): boolean {
  return kind === 'token' || kind === 'personal_token' || kind === 'client'
}

export const ANONYMOUS = createCaller()
export const LOCAL = createCaller({ kind: 'local' })
