/** `/.well-known/oauth-protected-resource`, alone and with each resource's path (RFC 9728, 3). */

import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { protectedResourceMetadata, type ResourceFacts } from '../auth/protected-resource.ts'
import { METADATA_PATH, type Resources } from '../auth/resources.ts'
import type { HttpEnv } from './context.ts'
import { asRequested } from './trailing-slash.ts'

/** Without a path it is that of `/mcp`. Any page may read it: a client may run in a browser. */
export function protectedResourceRoutes(resources: Resources, facts: ResourceFacts): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  const anyOrigin = cors({ origin: '*', allowMethods: ['GET'], maxAge: 600 })
  // Also what is not there: a page could not tell it from a server that is away.
  routes.use('/.well-known/*', anyOrigin)
  const serve = (path: string, resource = resources.at('/mcp')) => {
    routes.get(path, (c) => {
      const metadata = protectedResourceMetadata(asRequested(c.env.incoming, resource), facts)
      return c.json(metadata, 200, { 'cache-control': 'public, max-age=3600' })
    })
  }
  serve(METADATA_PATH)
  for (const resource of resources.all) serve(METADATA_PATH + resource.path, resource)
  return routes
}
