/** `/.well-known/oauth-protected-resource`, bare and with each resource's path (RFC 9728, 3). */

import { Hono } from 'hono'
import { protectedResourceMetadata, type ResourceFacts } from '../../auth/resource-server.ts'
import { METADATA_PATH, type Resource, type Resources } from '../../auth/resources.ts'
import type { HttpEnv } from '../http-env.ts'
import { asRequested } from '../request-target.ts'

/** The bare path serves the metadata of `/mcp`. */
export function protectedResourceRoutes(resources: Resources, facts: ResourceFacts): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  const serve = (path: string, resource: Resource) => {
    routes.get(path, async (c) => {
      const requested = asRequested(c.env.incoming, resource)
      const metadata = await protectedResourceMetadata(requested, facts)
      // A cache that ignores queries would serve an echoed one to others.
      const isEchoed = requested.url.includes('?')
      const caching = isEchoed ? 'no-store' : 'public, max-age=3600'
      return c.json(metadata, 200, { 'cache-control': caching })
    })
  }
  serve(METADATA_PATH, { ...resources.at('/mcp'), echoesQuery: false })
  for (const resource of resources.all) serve(METADATA_PATH + resource.path, resource)
  return routes
}
