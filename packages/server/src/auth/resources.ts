/** The protected resources of this server: their paths, resource identifiers and metadata URLs. */

import { basePathOf } from '../config/public-path.ts'
import type { Config } from '../config.ts'

/** Endpoints that clients connect to; `/mcp` is the canonical one. */
export type ResourcePath = '/mcp' | '/http' | '/sse'

/** Which endpoints are served in addition to `/mcp`. */
export type ServedResources = Pick<Config['serves'], 'direct' | 'sse'>

/** RFC 9728, 3.1: the path of the resource is appended. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource'

export interface Resource {
  readonly path: ResourcePath
  /** The resource identifier: exactly the URL that clients use (RFC 8707, 2). */
  readonly url: string
  readonly metadataUrl: string
}

export interface Resources {
  /** The served resources. */
  readonly all: readonly Resource[]
  at(path: ResourcePath): Resource
}

/** `publicUrl` has no trailing slash. */
export function createResources(
  publicUrl: string,
  { direct, sse }: ServedResources = { direct: true, sse: true },
): Resources {
  // RFC 9728, 3.1: inserts the well-known path between the host and the resource's path.
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
