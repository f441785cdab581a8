/** How a resource is declared. One file in `src/resources/`, default export. */

import type { Annotations, CacheHint, Icon } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Rate } from '../store/rate-limits.ts'
import type { Complete } from './complete.ts'
import type { ToolContext } from './context.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import type { Variables } from './find-resource.ts'
import type { Caller } from './identity.ts'
import type { Meta } from './meta.ts'

export interface ResourceDefinition<
  Output extends z.ZodObject | undefined = undefined,
  E extends Env = Env,
> {
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** `application/json` if left out where there is an `output`. */
  readonly mimeType?: string
  readonly annotations?: Annotations
  readonly icons?: readonly Icon[]
  /** In bytes, of a fixed URI. */
  readonly size?: number
  /** `_meta` in lists; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** A fixed URI, or an RFC 6570 template such as `bank://branches/{city}`. */
  readonly uri: string
  /**
   * Makes the resource JSON, of which only what is declared leaves the server, masked where the
   * schema says so. Without it, what is read leaves as it is.
   */
  readonly output?: Output
  /** With `login`, who has not signed in upstream is asked to, and nobody else may keep an answer. */
  readonly requires?: ToolRequirements
  /** Longest read, in seconds; `TOOL_TIMEOUT` when not given. */
  readonly timeoutSeconds?: number
  /** How often one caller may read it, on all nodes together. */
  readonly rateLimit?: Rate
  /** How long and by whom an answer may be kept (2026-07-28, `ttlMs` and `cacheScope`). */
  readonly cache?: CacheHint
  /** For templates: suggestions for a variable, by its name. */
  readonly complete?: Readonly<Record<string, Complete<E>>>
  /**
   * Whether a caller sees the resource and may read it; every caller does if left out. For others it does
   * not exist. Runs for every list and read, so it reads what is in memory. An error hides it.
   */
  visible?(caller: Caller, env: E): boolean
  /** Reads the resource. Throw a `ToolError` to tell the caller something; any other error is hidden. */
  read(request: ResourceRequest<E>): Promise<ReadValue<Output>>
}

export type ReadValue<Output> = Output extends z.ZodObject ? z.input<Output> : ResourceContent

/** Text, bytes, or a value that is sent as JSON. A `blob` is bytes or base64. */
export type ResourceContent =
  | string
  | Uint8Array
  | { readonly blob: string | Uint8Array; readonly mimeType?: string }
  | object

/** What a resource sees while it is read. */
export interface ResourceRequest<E extends Env = Env> extends Omit<ToolContext<never, E>, 'input'> {
  readonly uri: URL
  /** Values of the template's variables, decoded. */
  readonly variables: Variables
}

/** A resource whose schema the engine need not know. */
export type AnyResource<E extends Env = Env> =
  | ResourceDefinition<z.ZodObject, E>
  | ResourceDefinition<undefined, E>

/** Declares a resource; what `read` returns follows from `output`. */
export function defineResource<Output extends z.ZodObject | undefined = undefined>(
  definition: ResourceDefinition<Output>,
): ResourceDefinition<Output> {
  return definition
}
