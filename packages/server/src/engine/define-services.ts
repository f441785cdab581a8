/** Declares settings and services: the types of `createMcp`'s environment. */

import { z } from 'zod'
import type { Announce, ToolLog } from './tool-context.ts'

/**
 * Opens one service and waits for it. Services close in reverse order once all calls have ended
 * (graceful shutdown).
 */
export type OpenService = <Service>(
  /** Name for errors and logs, such as `database`. */
  name: string,
  start: () => Service | Promise<Service>,
  close?: (service: Service) => unknown,
) => Promise<Service>

export interface ServicesContext<Settings extends object> {
  readonly settings: Settings
  readonly open: OpenService
  /** The process's logger. */
  readonly log: ToolLog
  /** Notifies clients on all nodes; queues notifications until this node has joined the others. */
  readonly announce: Announce
  /** Aborted when START_TIMEOUT elapses, and on shutdown. */
  readonly signal: AbortSignal
}

/** The environment's definition, as passed to `createMcp`. */
export interface EnvDefinition<
  Settings extends z.ZodObject,
  Services extends object,
  Upstream extends string = string,
> {
  /** Names of `UPSTREAMS` that type `upstream.NAME`; the server does not start without them. */
  readonly upstreams?: readonly Upstream[]
  /**
   * The team's own variables. Values are strings: use `z.coerce.number()` and `z.stringbool()`.
   * `.meta({ secret: true })` marks a secret, `.describe('…')` documents a variable.
   */
  readonly settings?: Settings
  services?(context: ServicesContext<z.output<Settings>>): Services | Promise<Services>
}

/** A definition with erased types. */
export type AnyEnvDefinition = EnvDefinition<z.ZodObject, object>

/** The fault of a definition that the compiler would refuse; undefined if there is none. */
export function envFault(definition: object): string | undefined {
  const { settings, services, upstreams, ...others } = definition as Partial<
    Record<keyof AnyEnvDefinition, unknown>
  >
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) return `${unknown} is not one of settings, services, upstreams`
  if (settings !== undefined && !(settings instanceof z.ZodObject)) {
    return 'settings must be a z.object(…)'
  }
  if (services !== undefined && typeof services !== 'function') {
    return 'services must be a function: services: async ({ settings, open }) => ({ … })'
  }
  const isName = (name: unknown) => typeof name === 'string'
  return upstreams === undefined || (Array.isArray(upstreams) && upstreams.every(isName))
    ? undefined
    : "upstreams must be a list of names, such as ['github']"
}

const DECLARED_BY = Symbol.for('mcp-template/declared-by')

/** Marks a declaration with the `createMcp` whose function created it. */
export function markDeclared<T extends object>(declaration: T, env: AnyEnvDefinition): T {
  return { ...declaration, [DECLARED_BY]: env }
}

/** The `createMcp` that created a declaration; undefined for the package's own functions. */
export function declaredBy(declaration: object): AnyEnvDefinition | undefined {
  return (declaration as { readonly [DECLARED_BY]?: AnyEnvDefinition })[DECLARED_BY]
}
