/** A server with several upstreams: the demo, a second OpenID provider, an API with user keys, and one with an operator key. */

import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import type { Store } from '../../src/store/port.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { startDemo } from '../demo/demo-server.ts'
import { json, type MisbehavingServer, startServer } from '../upstream/misbehaving-server.ts'
import { structured } from './clients.ts'
import { freePort } from './free-port.ts'
import type { Login } from './sign-in.ts'
import { postModern, read } from './wire.ts'

const mcp = createMcp({ upstreams: ['staff', 'tickets', 'orders'] })

const owner = z.object({ owner: z.string() })
const anything = z.object({ answer: z.string() })

/** Calls the second provider's API on behalf of the user. */
export const staffAccount = mcp.defineTool({
  name: 'staff_account',
  description: 'The account of the person at the second provider.',
  input: z.object({}),
  output: owner,
  requires: { login: 'staff' },
  run: ({ upstream }) => upstream.staff.get<{ owner: string }>('/accounts/{id}', { id: 'me' }),
})

/** Needs two sign-ins. */
export const both = mcp.defineTool({
  name: 'both',
  description: 'The accounts of the person at both providers.',
  input: z.object({}),
  output: z.object({ first: z.string(), second: z.string() }),
  requires: { login: ['demo', 'staff'] },
  async run({ upstream }) {
    const [first, second] = await Promise.all([
      upstream.get<{ owner: string }>('/accounts/{id}', { id: 'me' }),
      upstream.staff.get<{ owner: string }>('/accounts/{id}', { id: 'me' }),
    ])
    return { first: first.owner, second: second.owner }
  },
})

/** Calls an API without declaring its sign-in. */
const undeclared = mcp.defineTool({
  name: 'undeclared',
  description: 'Calls the second API without a sign-in.',
  input: z.object({}),
  output: owner,
  requires: { session: true },
  run: ({ upstream }) => upstream.staff.get<{ owner: string }>('/accounts/{id}', { id: 'me' }),
})

const orders = mcp.defineTool({
  name: 'orders',
  description: 'Calls the API that the operator has a key for.',
  input: z.object({}),
  output: anything,
  run: ({ upstream }) => upstream.orders.get<{ answer: string }>('/orders'),
})

const tickets = mcp.defineTool({
  name: 'tickets',
  description: 'Calls the API that people have keys for.',
  input: z.object({ path: z.string().default('/tickets') }),
  output: anything,
  requires: { login: 'tickets' },
  run: ({ upstream, input }) => upstream.tickets.get<{ answer: string }>(input.path),
})

export const GOOD_KEY = 'pat_0123456789abcdef'
export const OTHER_KEY = 'pat_fedcba9876543210'
export const OPERATOR_KEY = 'operator-key-canary'

/** An API that identifies users by keys. */
export interface KeyApi extends MisbehavingServer {
  readonly keys: Set<string>
  /** Responds to everything with this status, if set. */
  status: number | undefined
}

async function startKeyApi(): Promise<KeyApi> {
  const keys = new Set([GOOD_KEY, OTHER_KEY])
  const server = await startServer((res, req, index) => {
    const key = /^Token (.*)$/.exec(String(req.headers['x-tickets-auth'] ?? ''))?.[1] ?? ''
    if (api.status !== undefined) return res.writeHead(api.status).end()
    if (!keys.has(key)) return res.writeHead(401).end()
    if (req.url === '/forbidden') return res.writeHead(403).end()
    return json({ answer: `for ${req.headers['x-tickets-auth']}` })(res, req, index)
  })
  const api: KeyApi = { ...server, keys, status: undefined }
  onTestFinished(() => server.close())
  return api
}

export interface SeveralUpstreams {
  readonly server: TestServer
  readonly url: string
  readonly ticketsApi: KeyApi
  readonly ordersApi: MisbehavingServer
  readonly staff: Awaited<ReturnType<typeof startDemo>>
  readonly env: Readonly<Record<string, string>>
  /** Another node of the same deployment; `store` must be shared. */
  node(store: Store, env?: Readonly<Record<string, string>>): Promise<TestServer>
}

export const TOOLS = [staffAccount, both, undeclared, orders, tickets]

/** Starts everything; stopped after the test. */
export async function startSeveral(
  more: Readonly<Record<string, string>> = {},
  store?: Store,
): Promise<SeveralUpstreams> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const staff = await startDemo({ redirectUri: `${url}/callback/staff` })
  const ticketsApi = await startKeyApi()
  const ordersApi = await startServer((res, req, index) =>
    json({ answer: `orders for ${req.headers.authorization}` })(res, req, index),
  )
  onTestFinished(() => ordersApi.close())
  const env = {
    RATE_LIMIT: 'off',
    PUBLIC_URL: url,
    DEMO: 'on',
    UPSTREAMS: 'staff,tickets,orders',
    UPSTREAM_STAFF_ISSUER: staff.idp.issuer,
    UPSTREAM_STAFF_CLIENT_ID: staff.idp.clientId,
    UPSTREAM_STAFF_CLIENT_SECRET: staff.idp.clientSecret,
    UPSTREAM_STAFF_SCOPES: 'openid profile email offline_access',
    UPSTREAM_STAFF_API_URL: staff.api,
    UPSTREAM_TICKETS_AUTH: 'key',
    UPSTREAM_TICKETS_API_URL: ticketsApi.origin,
    UPSTREAM_TICKETS_KEY_CHECK: '/me',
    UPSTREAM_TICKETS_KEY_HEADER: 'X-Tickets-Auth: Token {key}',
    UPSTREAM_ORDERS_AUTH: 'none',
    UPSTREAM_ORDERS_API_URL: ordersApi.origin,
    UPSTREAM_ORDERS_API_KEY: OPERATOR_KEY,
    UPSTREAM_ORDERS_API_KEY_HEADER: 'Authorization: Bearer {key}',
    ...more,
  }
  async function node(shared: Store | undefined, own: Readonly<Record<string, string>> = {}) {
    const server = await startTestServer({
      server: { name: 'several' },
      tools: TOOLS,
      env: { ...env, ...own },
      ...(shared !== undefined && { store: shared }),
    })
    onTestFinished(() => server.stop())
    return server
  }
  const server = await node(store, { MASK_MCP_PORT: String(port) })
  return { server, url, ticketsApi, ordersApi, staff, env, node }
}

/** Calls a tool in the 2026 era. */
export async function call(url: string, name: string, args: Record<string, unknown> = {}) {
  const { message } = await read(postModern(url, 'tools/call', { name, arguments: args }))
  return message.result ?? {}
}

/** Calls `login`. */
export async function loginAt(url: string, args: Record<string, unknown> = {}): Promise<Login> {
  return structured<Login>(await call(url, 'login', args))
}
