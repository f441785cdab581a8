/** The environment that a team's `src/mcp.ts` provides to its declarations. */

export interface Env {
  /** The team's own variables, validated at startup. */
  readonly settings: object
  /** Services opened before readiness: databases, clients of other systems. */
  readonly services: object
}

/** The names in `createMcp`'s `upstreams`; `never` without it. */
export type UpstreamNames<E extends Env> = E extends {
  readonly upstreams: infer Name extends string
}
  ? Name
  : never

export const EMPTY_ENV: Env = Object.freeze({
  settings: Object.freeze({}),
  services: Object.freeze({}),
})
