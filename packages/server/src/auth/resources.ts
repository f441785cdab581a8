/**
 * The protected resources of this server: their paths, resource identifiers (RFC 8707), metadata
 * URLs (RFC 9728), and the challenge that leads a client to them.
 */

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
  /** Whether a query is part of it: the built-in authorization server ignores queries. */
  readonly echoesQuery?: boolean
}

export type Resources = ReturnType<typeof createResources>

/** `all` are those served. `publicUrl` has no trailing slash. */
export function createResources(
  publicUrl: string,
  { direct, sse }: ServedResources = { direct: true, sse: true },
  { echoesQuery = false }: Pick<Resource, 'echoesQuery'> = {},
) {
  // RFC 9728, 3.1: inserts the well-known path between the host and the resource's path.
  const metadata = new URL(publicUrl).origin + METADATA_PATH + basePathOf(publicUrl)
  const at = (path: ResourcePath): Resource => ({
    path,
    url: publicUrl + path,
    metadataUrl: metadata + path,
    echoesQuery,
  })
  const further: ResourcePath[] = [
    ...(direct ? ['/http' as const] : []),
    ...(sse ? ['/sse' as const] : []),
  ]
  const all: readonly Resource[] = [at('/mcp'), ...further.map(at)]
  return { all, at }
}

/** One audience, valid at all resources (RFC 8707). */
export type ResourceNames = ReturnType<typeof createResourceNames>

export function createResourceNames(resources: Resources) {
  const all: readonly string[] = resources.all.map(({ url }) => url)
  const { url: canonical, path } = resources.at('/mcp')
  const base = canonical.slice(0, -path.length)
  return {
    /** The identifiers that tokens may have as audience. */
    all,
    /** The default audience, for requests without `resource`. */
    canonical,
    /**
     * Normalizes an identifier: ignores trailing slashes, the case of the host, and a query, which
     * clients copy from their own URL. The server as a whole (its public URL) is its canonical
     * resource: some clients name the authorization server.
     */
    spelled(resource: string): string {
      if (!URL.canParse(resource)) return resource
      const target = new URL(resource)
      target.search = ''
      const { href } = target
      let end = href.length
      while (href[end - 1] === '/') end -= 1
      const trimmed = href.slice(0, end)
      if (trimmed === base) return canonical
      return all.includes(trimmed) ? trimmed : resource
    },
  }
}

export interface Challenge {
  readonly resource: Resource
  /** All scopes that the request needs, so that one authorization is enough. */
  readonly scopes: readonly string[]
  /** Why the token is refused; omitted when the request carries none (RFC 6750, 3.1). */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  readonly description?: string
}

/**
 * The value of `WWW-Authenticate`: how to obtain a valid token (RFC 6750, 3; RFC 9728, 5.1).
 */
export function bearerChallenge({ resource, scopes, error, description }: Challenge): string {
  const parameters = [
    ...(error === undefined ? [] : [quoted('error', error)]),
    ...(description === undefined ? [] : [quoted('error_description', description)]),
    quoted('resource_metadata', resource.metadataUrl),
    ...(scopes.length === 0 ? [] : [quoted('scope', scopes.join(' '))]),
  ]
  return `Bearer ${parameters.join(', ')}`
}

/** RFC 6750, 3: printable ASCII only, without quotes and backslashes (no header injection). */
function quoted(name: string, value: string): string {
  return `${name}="${value.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '')}"`
}
