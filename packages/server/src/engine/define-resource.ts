/** How a resource is declared. One file in `src/resources/`, default export. */

import type { CacheHint } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Variables } from './find-resource.ts'

export interface ResourceDefinition<Output extends z.ZodObject | undefined = undefined> {
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** `application/json` if left out where there is an `output`. */
  readonly mimeType?: string
  /** A fixed URI, or an RFC 6570 template such as `bank://branches/{city}`. */
  readonly uri: string
  /**
   * Makes the resource JSON, of which only what is declared leaves the server, masked where the
   * schema says so. Without it, what is read leaves as it is.
   */
  readonly output?: Output
  /** How long and by whom an answer may be kept (2026-07-28, `ttlMs` and `cacheScope`). */
  readonly cache?: CacheHint
  /** For templates: suggestions for a variable, by its name. */
  readonly complete?: Readonly<Record<string, (value: string) => readonly string[]>>
  /** Reads the resource. */
  read(
    request: ResourceRequest,
  ): Promise<Output extends z.ZodObject ? z.input<Output> : ResourceContent>
}

/** Text, bytes, or a value that is sent as JSON. A `blob` is bytes or base64. */
export type ResourceContent =
  | string
  | Uint8Array
  | { readonly blob: string | Uint8Array; readonly mimeType?: string }
  | object

/** A resource whose schema the engine need not know. */
export type AnyResource = ResourceDefinition<z.ZodObject> | ResourceDefinition

export interface ResourceRequest {
  readonly uri: URL
  /** Values of the template's variables. */
  readonly variables: Variables
  readonly signal: AbortSignal
}

/** Declares a resource; what `read` returns follows from `output`. */
export function defineResource<Output extends z.ZodObject | undefined = undefined>(
  definition: ResourceDefinition<Output>,
): ResourceDefinition<Output> {
  return definition
}
