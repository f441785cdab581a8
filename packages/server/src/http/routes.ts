/**
 * The route table: every path with its audience and policies. The table drives routing, 405 with
 * `Allow`, labels of logs, metrics and traces, rate and body limits, CORS, the host guard and the
 * error format (`guard-routes.ts`); a path outside the table cannot be routed.
 */

import { METADATA_PATH } from '../auth/resources.ts'
import { DEMO_API_PATH, DEMO_PROVIDER_PATH } from '../config/demo-paths.ts'
import type { Config } from '../config.ts'
import { LOGO_PATH } from './pages/logo-route.ts'
import { createRouteOf } from './request-target.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Route {
  /** Pattern in Hono's syntax; also the label in logs, so that no path value is logged. */
  readonly path: string
  /** Methods, in the order of `Allow`. */
  readonly methods: readonly Method[]
  /** `people` use a browser, `callers` an MCP client; `programs` are all others. */
  readonly audience: 'people' | 'programs' | 'callers'
  /** Error format; `problem` applies to direct calls, and JSON-RPC to messages on that route. */
  readonly errors: 'page' | 'json-rpc' | 'problem' | 'oauth'
  /** Rate limit: units per minute and address, or the configured limit of callers. */
  readonly limit?: AddressLimit | 'caller'
  /** Body limit in bytes. Required for POST, except by callers: BODY_LIMIT_BYTES applies. */
  readonly maxBodyBytes?: number
  /** CORS origins; same-origin only by default (Fetch Standard). */
  readonly origins?: 'allowed' | 'any'
  /** Health probe: served under any host; success is logged at level debug. */
  readonly isProbe?: true
  /** Responses may be streams, whose duration is not a latency. */
  readonly streams?: true
  /** Answers 404 instead of 401, 403 and 405. */
  readonly isHidden?: true
  /** A path prefix, served by a Node handler that checks methods itself. */
  readonly isMount?: true
  /** Declared by a team; errors are problem documents, or pages for `people`. */
  readonly isOfTeam?: boolean
}

export interface AddressLimit {
  readonly name: string
  readonly calls: number
  /** Counts only browsers with the cookie of a known browser: others cause no store access. */
  readonly knownBrowsersOnly?: true
}

/** Settings that select the routes. */
export interface RouteFacts {
  readonly serves: Config['serves']
  /** Whether the main port serves `/metrics`. */
  readonly servesMetrics: boolean
  readonly hasLogo: boolean
  readonly hasDemo: boolean
  /** False if a test replaces the demo's API. */
  readonly hasDemoApi: boolean
  /** Whether an upstream takes API keys. */
  readonly takesKeys?: boolean
  /** Whether this server is its own authorization server. */
  readonly authorizesClients: boolean
  /** Rows of the team's routes. */
  readonly ofTeam?: readonly Route[]
}

/** CORS is open below this prefix, even for 404: clients probe several well-known paths. */
export const OPEN_PREFIX = '/.well-known/'

/** Our forms have one or two fields each. */
const FORM_BYTES = 4096
/** The account page's have a checkbox for each scope. */
const ACCOUNT_FORM_BYTES = 16 * 1024
export const OAUTH_BODY_BYTES = 64 * 1024

const READ = ['GET', 'HEAD'] as const
const FORM = ['GET', 'HEAD', 'POST'] as const
const PAGE_LIMIT = { name: 'page', calls: 600 } as const
const PAGE = { audience: 'people', errors: 'page', limit: PAGE_LIMIT } as const
const FORM_PAGE = { ...PAGE, methods: FORM, maxBodyBytes: FORM_BYTES } as const
const PROGRAMS = { methods: READ, audience: 'programs', errors: 'json-rpc' } as const
const CALLERS = { audience: 'callers', limit: 'caller', origins: 'allowed' } as const
/**
 * CORS is open to any origin, for clients in browsers. Safe without CSRF protection: these
 * endpoints ignore cookies and require the code with its PKCE verifier, or the client secret.
 */
const OAUTH = { audience: 'programs', errors: 'oauth', origins: 'any' } as const
const OAUTH_POST = { ...OAUTH, methods: ['POST'], maxBodyBytes: OAUTH_BODY_BYTES } as const

/** The endpoints of the authorization server, a plain Node handler. */
export const OAUTH_ROUTES: readonly Route[] = [
  // Reached by browser navigation only, so without CORS.
  ...['/authorize', '/authorize/:uid'].map(
    (path): Route => ({
      ...{ path, methods: ['GET'], audience: 'people', errors: 'oauth' },
      limit: { name: 'authorize', calls: 600 },
    }),
  ),
  { ...OAUTH_POST, path: '/token', limit: { name: 'token', calls: 600 } },
  // Stricter: dynamic registration is open to anyone, and stores a record.
  { ...OAUTH_POST, path: '/register', limit: { name: 'register', calls: 20 } },
  { ...OAUTH_POST, path: '/revoke', limit: { name: 'revoke', calls: 600 } },
  { ...OAUTH_POST, path: '/introspect', limit: { name: 'introspect', calls: 600 } },
  { ...OAUTH, path: '/jwks', methods: READ },
  { ...OAUTH, path: '/.well-known/oauth-authorization-server', methods: READ },
]

/** These routes as a table, for plain Node handlers. */
export const OAUTH_TABLE = createRouteTable(OAUTH_ROUTES)

/** The route table of a server. */
export function routesOf({ serves, ...facts }: RouteFacts): RouteTable {
  const { landingPage, direct, sse, era2025 } = serves
  const message: readonly Method[] = era2025 ? ['POST', 'GET', 'HEAD', 'DELETE'] : ['POST']
  const metadata = ['', '/mcp', ...when(direct, '/http'), ...when(sse, '/sse')]
  const anyOrigin = { ...PROGRAMS, origins: 'any' } as const
  const calls = { ...CALLERS, methods: message, streams: true } as const
  return createRouteTable([
    // Programs get JSON errors; a known browser gets error pages.
    ...when<Route>(landingPage, {
      ...{ ...PAGE, path: '/', methods: READ, errors: 'json-rpc' },
      limit: { ...PAGE_LIMIT, knownBrowsersOnly: true },
    }),
    { ...PROGRAMS, path: '/livez', isProbe: true },
    { ...PROGRAMS, path: '/readyz', isProbe: true },
    ...when<Route>(facts.servesMetrics, { ...PROGRAMS, path: '/metrics', isHidden: true }),
    ...when<Route>(facts.hasLogo, { ...PROGRAMS, path: LOGO_PATH }),
    { ...FORM_PAGE, path: '/connect/:handle' },
    { ...PAGE, path: '/callback', methods: READ },
    { ...PAGE, path: '/callback/:upstream', methods: READ },
    { ...PAGE, path: '/redirect', methods: READ },
    ...when<Route>(facts.takesKeys === true, { ...FORM_PAGE, path: '/key/:upstream/:state' }),
    ...when<Route>(facts.authorizesClients, { ...FORM_PAGE, path: '/consent/:uid' }),
    ...when<Route>(facts.authorizesClients, {
      ...{ ...FORM_PAGE, path: '/account' },
      maxBodyBytes: ACCOUNT_FORM_BYTES,
    }),
    ...(facts.authorizesClients ? OAUTH_ROUTES : []),
    ...metadata.map((path): Route => ({ ...anyOrigin, path: METADATA_PATH + path })),
    { ...calls, path: '/mcp', errors: 'json-rpc' },
    ...when<Route>(direct, { ...calls, path: '/http', errors: 'problem' }),
    // No HEAD: it would open a stream that nobody reads or ends.
    ...when<Route>(sse, { ...calls, path: '/sse', methods: ['GET'], errors: 'json-rpc' }),
    ...when<Route>(sse, { ...CALLERS, path: '/messages', methods: ['POST'], errors: 'json-rpc' }),
    ...when<Route>(facts.hasDemo, {
      ...PAGE,
      path: DEMO_PROVIDER_PATH,
      methods: READ,
      isMount: true,
    }),
    ...(facts.hasDemoApi ? DEMO_API_ROUTES : []),
    ...(facts.ofTeam ?? []),
  ])
}

/** Routes of the demo's API, which the app mounts as one router. */
const DEMO_API_ROUTES: readonly Route[] = [
  { ...PROGRAMS, path: `${DEMO_API_PATH}/accounts/:id` },
  { ...PROGRAMS, path: `${DEMO_API_PATH}/accounts/:id/transactions` },
]

export type RouteTable = ReturnType<typeof createRouteTable>

export function createRouteTable(all: readonly Route[]) {
  const mounts = all.filter(({ isMount }) => isMount === true)
  const patterns = all.filter(({ isMount }) => isMount !== true).map(({ path }) => path)
  const labelOf = createRouteOf(
    patterns,
    mounts.map(({ path }) => path),
  )
  const byLabel = new Map([
    ...all.map((route) => [route.path, route] as const),
    ...mounts.map((route) => [`${route.path}/*`, route] as const),
  ])
  return {
    all,
    /** The pattern of a URL's route, or `unknown`: never text chosen by the client. */
    labelOf,
    /** The route of a URL; undefined for an unknown path. */
    find: (url: string): Route | undefined => byLabel.get(labelOf(url)),
  }
}

/**
 * Asserts that router and table contain the same routes, and that all bodies have a limit.
 * @throws Error that names the route; indicates a programming error
 */
export function checkRouted(
  routed: readonly { readonly method: string; readonly path: string }[],
  { all, find }: RouteTable,
): void {
  for (const { method, path } of routed) {
    const row = find(path)
    // Middleware of one path must have a row; that of all paths has a wildcard.
    const isMiddleware = method === 'ALL' && (row !== undefined || path.includes('*'))
    if (isMiddleware || row?.methods.some((each) => each === method)) continue
    throw new Error(`${method} ${path} is routed, but not in the table of http/routes.ts`)
  }
  for (const { path, errors, isMount, methods, audience, maxBodyBytes } of all) {
    if (methods.includes('POST') && audience !== 'callers' && maxBodyBytes === undefined) {
      throw new Error(`${path} takes POST, and has no maxBodyBytes in the table of http/routes.ts`)
    }
    const isElsewhere = errors === 'oauth' || isMount || path.startsWith(`${DEMO_API_PATH}/`)
    if (isElsewhere || routed.some((route) => route.path === path)) continue
    throw new Error(`${path} is in the table of http/routes.ts, but not routed`)
  }
}

function when<T>(isServed: boolean, route: T): readonly T[] {
  return isServed ? [route] : []
}
