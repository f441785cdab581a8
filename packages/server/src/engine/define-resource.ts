/** How a resource is declared. One file in `src/resources/`, default export. */

import type { CacheHint, ReadResourceResult } from '@modelcontextprotocol/server'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'

export interface ResourceDefinition<E extends Env = Env> {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly mimeType?: string
  /** A fixed URI, or an RFC 6570 template such as `bank://branches/{city}`. */
  readonly uri: string
  /** How long and by whom an answer may be kept (2026-07-28, `ttlMs` and `cacheScope`). */
  readonly cache?: CacheHint
  /** For templates: suggestions for a variable, by its name. */
  readonly complete?: Readonly<Record<string, (value: string) => readonly string[]>>
  /**
   * Whether a caller sees the resource and may read it; every caller does if left out. For others it does
   * not exist. Runs for every list and read, so it reads what is in memory. An error hides it.
   */
  visible?(caller: Caller, env: E): boolean
  /** Reads the resource: text, or a base64 `blob`. */
  read(request: ResourceRequest<E>): Promise<string | { readonly blob: string }>
}

export interface ResourceRequest<E extends Env = Env> {
  readonly uri: URL
  /** Values of the template's variables. */
  readonly variables: Readonly<Record<string, string | readonly string[]>>
  readonly signal: AbortSignal
  readonly caller: Caller
  readonly settings: E['settings']
  readonly services: E['services']
}

/** Declares a resource. */
export function defineResource(definition: ResourceDefinition): ResourceDefinition {
  return definition
}

/** A read value as the protocol wants it. */
export function toResourceResult(
  { mimeType }: ResourceDefinition,
  uri: URL,
  value: string | { readonly blob: string },
): ReadResourceResult {
  const body = typeof value === 'string' ? { text: value } : value
  return { contents: [{ uri: uri.href, ...(mimeType !== undefined && { mimeType }), ...body }] }
}
