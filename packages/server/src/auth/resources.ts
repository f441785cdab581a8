/**
 * The protected resources of this server: their paths, addresses and metadata, said in one place.
 */

import { basePathOf } from '../config/public-path.ts'
import type { Config } from '../config.ts'

/** What clients connect to; `/mcp` is what the server stands for as a whole. */
export type ResourcePath = '/mcp' | '/http' | '/sse'

/** Which ways in there are besides `/mcp`. */
export type ServedResources = Pick<Config['serves'], 'direct' | 'sse'>

/** RFC 9728, 3.1: the resource's path follows. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource'

export interface Resource {
  readonly path: ResourcePath
  /** The resource identifier: exactly the address that clients use (RFC 8707, 2). */
  readonly url: string
  readonly metadataUrl: string
}

export interface Resources {
  /** Those that are served. */
  readonly all: readonly Resource[]
  at(path: ResourcePath): Resource
}

/** `publicUrl` has no slash at its end. */
export function createResources(
  publicUrl: string,
  { direct, sse }: ServedResources = { direct: true, sse: true },
): Resources {
  // RFC 9728, 3.1: inserted between the host and the path.
  const metadata = new URL(publicUrl).origin + METADATA_PATH + basePathOf(publicUrl)
  const at = (path: ResourcePath): Resource => ({
    path,
    url: publicUrl + path,
    metadataUrl: metadata + path,
  })
  const further: ResourcePath[] = [
    ...(direct ? ['/http' as const] : []),
    ...(sse ? ['/sse' as const] : []),
  ]
  return { all: [at('/mcp'), ...further.map(at)], at }
}
