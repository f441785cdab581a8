/** Who is calling: what authentication yields and sessions are looked up by. */

/** A caller that showed no token; it is known by its connection or its session handle, if at all. */
export interface Caller {
  readonly kind: 'anonymous'
  /** Scopes of the token; undefined without one. */
  readonly scopes: readonly string[] | undefined
  /** Where it calls from; what it is known by where it shows nothing else. */
  readonly address: string
}
