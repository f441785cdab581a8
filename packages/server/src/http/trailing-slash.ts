/** `/mcp/` and the like: the same endpoint under the spelling that the client was given. */

import type { IncomingMessage } from 'node:http'
import { METADATA_PATH, type Resource } from '../auth/resources.ts'

const ENDPOINT = new RegExp(`^((?:${METADATA_PATH})?(?:/(?:mcp|http|sse)))/(?=\\?|$)`)

const withSlash = new WeakSet<object>()

/**
 * Removes the slash at the end of an endpoint's path in place. A redirect would not do: clients do
 * not repeat a POST, or drop its `Authorization`.
 */
export function dropTrailingSlash(request: Pick<IncomingMessage, 'url'>): void {
  const { url = '/' } = request
  const bare = url.replace(ENDPOINT, '$1')
  if (bare === url) return
  withSlash.add(request)
  request.url = bare
}

/** The resource as the request spelled it: clients compare it with their own (RFC 9728, 3.3). */
export function asRequested(request: object, resource: Resource): Resource {
  if (!withSlash.has(request)) return resource
  const { url, metadataUrl } = resource
  return { ...resource, url: `${url}/`, metadataUrl: `${metadataUrl}/` }
}
