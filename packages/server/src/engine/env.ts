/** What a team's `src/mcp.ts` provides to everything that it declares. */

export interface Env {
  /** The team's own variables, checked when the server starts. */
  readonly settings: object
  /** What was opened before the server was ready: databases, clients of other systems. */
  readonly services: object
}

/** The upstreams that `createMcp` names; none without it. */
export type UpstreamNames<E extends Env> = E extends {
  readonly upstreams: infer Name extends string
}
  ? Name
  : never

export const EMPTY_ENV: Env = Object.freeze({
  settings: Object.freeze({}),
  services: Object.freeze({}),
})
