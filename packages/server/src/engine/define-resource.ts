/** Declares resources: one file in `src/resources/`, default export. */

import type { Annotations, CacheHint, Icon } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Rate } from '../store/rate-limits.ts'
import type { Complete } from './complete.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import type { Variables } from './find-resource.ts'
import type { Caller } from './identity.ts'
import type { Meta } from './meta.ts'
import type { ToolContext } from './tool-context.ts'

export interface ResourceDefinition<
  Output extends z.ZodObject | undefined = undefined,
  E extends Env = Env,
> {
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** Default `application/json` with an `output`. */
  readonly mimeType?: string
  readonly annotations?: Annotations
  readonly icons?: readonly Icon[]
  /** Size in bytes, for a fixed URI. */
  readonly size?: number
  /** `_meta` in lists; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** A fixed URI, or an RFC 6570 template such as `bank://branches/{city}`. */
  readonly uri: string
  /**
   * Makes the resource JSON: only declared fields leave the server, masked as the schema declares.
   * If left out, the content is returned unchanged.
   */
  readonly output?: Output
  /** With `login`, requires an upstream sign-in, and responses are not shared between callers. */
  readonly requires?: ToolRequirements
  /** Timeout in seconds; default `TOOL_TIMEOUT`. */
  readonly timeoutSeconds?: number
  /** Rate limit per caller, across all nodes. */
  readonly rateLimit?: Rate
  /** Cache lifetime and scope of responses (2026-07-28, `ttlMs` and `cacheScope`). */
  readonly cache?: CacheHint
  /** For templates: completions, by variable name. */
  readonly complete?: Readonly<Record<string, Complete<E>>>
  /**
   * Whether a caller may list and read the resource; all callers if left out. For others it does
   * not exist. Synchronous: runs for every list and read. An error hides the resource.
   */
  visible?(caller: Caller, env: E): boolean
  /** Reads the resource. Throw a `ToolError` for a message to the caller; others are hidden. */
  read(request: ResourceRequest<E>): ReadValue<Output> | Promise<ReadValue<Output>>
}

export type ReadValue<Output> = Output extends z.ZodObject ? z.input<Output> : ResourceContent

/** Text, bytes, or a value that is sent as JSON. A `blob` is bytes or base64. */
export type ResourceContent =
  | string
  | Uint8Array
  | ArrayBuffer
  | { readonly blob: string | Uint8Array; readonly mimeType?: string }
  | object

/** The context of a resource's `read`. */
export interface ResourceRequest<E extends Env = Env> extends Omit<ToolContext<never, E>, 'input'> {
  readonly uri: URL
  /** Values of the template's variables, decoded. */
  readonly variables: Variables
}

/** A resource with an erased schema type. */
export type AnyResource<E extends Env = Env> =
  | ResourceDefinition<z.ZodObject, E>
  | ResourceDefinition<undefined, E>

/** Declares a resource; the return type of `read` is inferred from `output`. */
export function defineResource<Output extends z.ZodObject | undefined = undefined>(
  definition: ResourceDefinition<Output>,
): ResourceDefinition<Output> {
  return definition
}
