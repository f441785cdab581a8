/** What the function `services` of `createMcp` is given. */

import type { z } from 'zod'
import type { Announce, ToolLog } from './context.ts'

/**
 * Opens one service and waits for it. Services open one after the other, and close in reverse order once
 * all calls have ended.
 */
export type OpenService = <Service>(
  /** For messages, such as `database`. */
  name: string,
  start: () => Service | Promise<Service>,
  close?: (service: Service) => unknown,
) => Promise<Service>

export interface ServicesContext<Settings extends object> {
  readonly settings: Settings
  readonly open: OpenService
  /** Log lines of the process. */
  readonly log: ToolLog
  /** Notifies clients on all nodes; before this node has joined the others, notifications wait. */
  readonly announce: Announce
  /** Aborted when START_TIMEOUT is over, and when the server stops. */
  readonly signal: AbortSignal
}

/** The parts of an environment, as `createMcp` takes them. */
export interface EnvDefinition<
  Settings extends z.ZodObject,
  Services extends object,
  Upstream extends string = string,
> {
  /** The names of `UPSTREAMS` that `upstream.NAME` is typed for; the server does not start without them. */
  readonly upstreams?: readonly Upstream[]
  /**
   * Variables of the team's own. Values are texts: use `z.coerce.number()` and `z.stringbool()`.
   * `.meta({ secret: true })` marks a secret, `.describe('…')` documents a variable.
   */
  readonly settings?: Settings
  services?(context: ServicesContext<z.output<Settings>>): Services | Promise<Services>
}

/** One whose types the engine need not know. */
export type AnyEnvDefinition = EnvDefinition<z.ZodObject, object>

const DECLARED_BY = Symbol.for('mcp-template/declared-by')

/** The declaration with a mark of the `createMcp` whose function made it. */
export function markDeclared<T extends object>(declaration: T, env: AnyEnvDefinition): T {
  return { ...declaration, [DECLARED_BY]: env }
}

/** The `createMcp` that a declaration was made by; undefined for those of the package's own functions. */
export function declaredBy(declaration: object): AnyEnvDefinition | undefined {
  return (declaration as { readonly [DECLARED_BY]?: AnyEnvDefinition })[DECLARED_BY]
}
