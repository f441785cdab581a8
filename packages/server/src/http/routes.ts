/**
 * The route table: every address that is served, who asks there, and what follows from that. Routing,
 * 405 with `Allow`, labels of logs, metrics and traces, limits of rates and bodies, CORS, the host guard
 * and the form of errors go by it (`guard-routes.ts`); an address that is not in it cannot be routed.
 */

import { METADATA_PATH } from '../auth/resources.ts'
import { DEMO_API_PATH, DEMO_PROVIDER_PATH } from '../config/demo-paths.ts'
import type { Config } from '../config.ts'
import { LOGO_PATH } from './logo.ts'
import { createRouteOf } from './route-of.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Route {
  /** As Hono writes patterns; the label of the route, too, so that no value in a path is logged. */
  readonly path: string
  /** As `Allow` lists them. */
  readonly methods: readonly Method[]
  /** People come with a browser, callers with an MCP client, and programs are all others. */
  readonly audience: 'people' | 'programs' | 'callers'
  /** How failures are told; `problem` to callers that speak no JSON-RPC, and JSON-RPC to the rest. */
  readonly errors: 'page' | 'json-rpc' | 'problem' | 'oauth'
  /** How often one may ask: units a minute of an address, or what is configured for callers. */
  readonly limit?: AddressLimit | 'caller'
  /** Bytes. Needed where something is posted, except by callers, whose JSON has BODY_LIMIT_BYTES. */
  readonly maxBodyBytes?: number
  /** The origins whose pages may call; its own alone if left out (CORS, Fetch Standard). */
  readonly origins?: 'allowed' | 'any'
  /** Asked every few moments, under any host: success is logged for debugging alone. */
  readonly isProbe?: true
  /** Answers may be streams, whose length says nothing of the server. */
  readonly streams?: true
  /** To those who may not read, and to other methods, it looks as if nothing were there. */
  readonly isHidden?: true
  /** Served with everything below it, by a handler that knows its own methods. */
  readonly isMount?: true
  /** Declared by a team; errors are problem documents there, also where nothing was called. */
  readonly isOfTeam?: boolean
}

export interface AddressLimit {
  readonly name: string
  readonly calls: number
  /** Counts only browsers that say they are known: others cost nothing. */
  readonly knownBrowsersAlone?: true
}

export interface RouteTable {
  readonly all: readonly Route[]
  /** Where nothing is, undefined. */
  find(url: string): Route | undefined
  /** The pattern of a URL's route, or `unknown`: never what somebody chose. */
  labelOf(url: string): string
}

/** What decides which routes there are. */
export interface RouteFacts {
  readonly serves: Config['serves']
  /** Whether `/metrics` is at the main port. */
  readonly servesMetrics: boolean
  readonly hasLogo: boolean
  readonly hasDemo: boolean
  /** Absent where a test's answers replace the demo's API. */
  readonly hasDemoApi: boolean
  /** Whether people paste keys for an upstream. */
  readonly takesKeys?: boolean
  /** Whether this server lets clients in itself. */
  readonly letsClientsIn: boolean
  /** Rows of a team's own routes. */
  readonly ofTeam?: readonly Route[]
}

/** Below it pages of any origin also see what is not there: clients look in several places. */
export const OPEN_PREFIX = '/.well-known/'

/** Each form of ours has a field or two. */
const FORM_BYTES = 4096
export const OAUTH_BODY_BYTES = 64 * 1024

const READ = ['GET', 'HEAD'] as const
const FORM = ['GET', 'HEAD', 'POST'] as const
const PAGE_LIMIT = { name: 'page', calls: 600 } as const
const PAGE = { audience: 'people', errors: 'page', limit: PAGE_LIMIT } as const
const FORM_PAGE = { ...PAGE, methods: FORM, maxBodyBytes: FORM_BYTES } as const
const PROGRAMS = { methods: READ, audience: 'programs', errors: 'json-rpc' } as const
const CALLERS = { audience: 'callers', limit: 'caller', origins: 'allowed' } as const
/**
 * Open to pages of any origin, so that clients in browsers can sign in: no cookie counts there, and
 * what is given out goes to whoever holds the code and its verifier, or the secret.
 */
const OAUTH = { audience: 'programs', errors: 'oauth', origins: 'any' } as const
const OAUTH_POST = { ...OAUTH, methods: ['POST'], maxBodyBytes: OAUTH_BODY_BYTES } as const

/** The endpoints of the authorization server, which speaks Node. */
export const OAUTH_ROUTES: readonly Route[] = [
  // A browser is sent there: no page calls it.
  ...['/authorize', '/authorize/:uid'].map(
    (path): Route => ({
      ...{ path, methods: ['GET'], audience: 'people', errors: 'oauth' },
      limit: { name: 'authorize', calls: 600 },
    }),
  ),
  { ...OAUTH_POST, path: '/token', limit: { name: 'token', calls: 600 } },
  // Anybody may register, and what they register is kept for a while.
  { ...OAUTH_POST, path: '/register', limit: { name: 'register', calls: 20 } },
  { ...OAUTH_POST, path: '/revoke', limit: { name: 'revoke', calls: 600 } },
  { ...OAUTH_POST, path: '/introspect', limit: { name: 'introspect', calls: 600 } },
  { ...OAUTH, path: '/jwks', methods: READ },
  { ...OAUTH, path: '/.well-known/oauth-authorization-server', methods: READ },
]

/** The same as a table, for handlers that speak Node. */
export const OAUTH_TABLE = createRouteTable(OAUTH_ROUTES)

/** The table of a server. */
export function routesOf({ serves, ...facts }: RouteFacts): RouteTable {
  const { landingPage, direct, sse, era2025 } = serves
  const message: readonly Method[] = era2025 ? ['POST', 'GET', 'HEAD', 'DELETE'] : ['POST']
  const metadata = ['', '/mcp', ...when(direct, '/http'), ...when(sse, '/sse')]
  const anyOrigin = { ...PROGRAMS, origins: 'any' } as const
  const calls = { ...CALLERS, methods: message, streams: true } as const
  return createRouteTable([
    // Programs read it as JSON; a person whose browser is known is told of failures on a page.
    ...when<Route>(landingPage, {
      ...{ ...PAGE, path: '/', methods: READ, errors: 'json-rpc' },
      limit: { ...PAGE_LIMIT, knownBrowsersAlone: true },
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
    ...when<Route>(facts.letsClientsIn, { ...FORM_PAGE, path: '/consent/:uid' }),
    ...(facts.letsClientsIn ? OAUTH_ROUTES : []),
    ...metadata.map((path): Route => ({ ...anyOrigin, path: METADATA_PATH + path })),
    { ...calls, path: '/mcp', errors: 'json-rpc' },
    ...when<Route>(direct, { ...calls, path: '/http', errors: 'problem' }),
    // No HEAD: nobody could read or end a stream that is left out.
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

/** The app mounts the demo's API whole. */
const DEMO_API_ROUTES: readonly Route[] = [
  { ...PROGRAMS, path: `${DEMO_API_PATH}/accounts/:id` },
  { ...PROGRAMS, path: `${DEMO_API_PATH}/accounts/:id/transactions` },
]

export function createRouteTable(all: readonly Route[]): RouteTable {
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
  return { all, labelOf, find: (url) => byLabel.get(labelOf(url)) }
}

/**
 * Checks that what is routed is in the table and the other way round, and that bodies have a bound.
 * @throws Error which names the route; only a change of the code leads there
 */
export function checkRouted(
  routed: readonly { readonly method: string; readonly path: string }[],
  { all, find }: RouteTable,
): void {
  for (const { method, path } of routed) {
    if (method === 'ALL' || find(path)?.methods.some((each) => each === method)) continue
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
