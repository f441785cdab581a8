/** The protected resources of this server: their paths, addresses and metadata, said in one place. */

/** What clients connect to; the first is what the server stands for as a whole. */
export const RESOURCE_PATHS = ['/mcp', '/http', '/sse'] as const

export type ResourcePath = (typeof RESOURCE_PATHS)[number]

/** RFC 9728, 3.1: the resource's path follows. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource'

export interface Resource {
  readonly path: ResourcePath
  /** The resource identifier: exactly the address that clients use (RFC 8707, 2). */
  readonly url: string
  readonly metadataUrl: string
}

export interface Resources {
  readonly all: readonly Resource[]
  at(path: ResourcePath): Resource
}

/** `publicUrl` is an origin, without a slash at its end. */
export function createResources(publicUrl: string): Resources {
  const at = (path: ResourcePath): Resource => ({
    path,
    url: publicUrl + path,
    metadataUrl: publicUrl + METADATA_PATH + path,
  })
  return { all: RESOURCE_PATHS.map(at), at }
}
