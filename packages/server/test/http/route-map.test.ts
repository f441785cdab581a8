/** The route table is complete: the app and the mounts serve its rows, and nothing else. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { defineRoute } from '../../src/engine/define-route.ts'
import { NO_TEAM } from '../../src/engine/team.ts'
import { createCallRates } from '../../src/http/rate-limit.ts'
import type { Route } from '../../src/http/routes.ts'
import { createRuntime, type Runtime } from '../../src/runtime.ts'
import { httpHandlers, routeTableOf } from '../../src/serve-http.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { recordingLogger } from '../../src/testing/recording-logger.ts'
import { bankCatalog } from '../support/app.ts'

const REPORTS = defineRoute({
  ...{ method: 'POST', path: '/reports/:name', for: 'callers' },
  handle: () => new Response(),
})
const EXTERNAL = { OAUTH_ISSUER: 'https://idp.example', METRICS_PORT: '9464' }

/** Handlers and middleware; a path with a wildcard is middleware of all paths below it. */
interface Routed {
  readonly method: string
  readonly path: string
}

describe.each([
  ['the demo', {}],
  ['an external issuer', EXTERNAL],
])('with %s', (_name, env) => {
  let runtime: Runtime
  let routed: readonly Routed[]
  let rows: readonly Route[]
  let mounted: readonly string[]

  beforeAll(async () => {
    runtime = await createRuntime({
      ...loadConfig({ env: { NODE_ENV: 'test', ...env }, cwd: import.meta.dirname }),
      log: recordingLogger().log,
      store: createMemoryStore(),
      catalog: await bankCatalog(),
      team: { ...NO_TEAM, routes: [REPORTS] },
      publicUrl: 'http://localhost:6901',
      pagesReady: async () => undefined,
      transport: 'http',
    })
    const routes = routeTableOf(runtime)
    const rates = createCallRates(runtime.rateLimits, runtime.config.http)
    routed = createApp(runtime, { rates, routes }).routes
    rows = routes.all
    mounted = [...httpHandlers(runtime).mounts.keys()]
  })
  afterAll(() => runtime.close())

  test('has a row for each handler and middleware of the app', () => {
    const ofOnePath = routed.filter(({ path }) => !path.includes('*'))
    expect(ofOnePath.map(({ path }) => path)).toContain('/reports/:name')
    expect(ofOnePath.filter(({ method, path }) => !isListed(rows, method, path))).toEqual([])
    const wildcards = routed.filter(({ path }) => path.includes('*')).map(({ path }) => path)
    const known = ['/*', '/.well-known/*', '/demo/api/*']
    expect(wildcards.filter((path) => !known.includes(path))).toEqual([])
  })

  test('has a row for each mount', () => {
    const paths = rows.map(({ path }) => path)
    expect(mounted.filter((path) => !paths.includes(path))).toEqual([])
  })

  test('serves each row', () => {
    const isMounted = (path: string) =>
      mounted.some((mount) => path === mount || path.startsWith(`${mount}/`))
    const handled = routed.filter(({ method }) => method !== 'ALL').map(({ path }) => path)
    const isServed = ({ path }: Route) =>
      // Middleware serves it, to answer 404 without access.
      path === '/metrics' || handled.includes(path) || isMounted(path)
    expect(rows.filter((row) => !isServed(row))).toEqual([])
  })
})

function isListed(rows: readonly Route[], method: string, path: string): boolean {
  const row = rows.find((each) => each.path === path)
  return method === 'ALL'
    ? row !== undefined
    : row?.methods.some((each) => each === method) === true
}
