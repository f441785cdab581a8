/** The official clients with their own OAuth implementation, on every transport, as documented. */

import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as UnauthorizedErrorV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as SSETransportV1 } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { CallResult } from './callers.ts'
import type { Person } from './oauth-person.ts'

/** A client and its transport, not yet connected. */
interface Attempt {
  connect(): Promise<void>
  finish(answer: URLSearchParams): Promise<void>
  call(name: string, input: Readonly<Record<string, unknown>>): Promise<CallResult>
  close(): Promise<void>
}

export interface AuthorizedClient {
  /** Calls a tool; if the client requests authorization, the user grants it and the call is repeated. */
  call(name: string, input?: Readonly<Record<string, unknown>>): Promise<CallResult>
  close(): Promise<void>
}

export interface ClientKind {
  readonly label: string
  /** Whether the client performs step-up authorization by itself while it has a refresh token. */
  readonly stepsUp: boolean
  readonly path: '/mcp' | '/http' | '/sse'
  /** Connects to the server; the user authorizes the client if required. */
  connect(url: string, person: Person): Promise<AuthorizedClient>
}

type Mode = 'legacy' | { readonly pin: string }

function attemptV2(url: URL, { provider }: Person, mode: Mode): Attempt {
  const client = new Client(
    { name: 'authorized v2', version: '1' },
    { versionNegotiation: { mode } },
  )
  const options = { authProvider: provider }
  const transport =
    url.pathname === '/sse'
      ? new SSEClientTransport(url, options)
      : new StreamableHTTPClientTransport(url, options)
  return {
    connect: () => client.connect(transport),
    finish: (answer) => transport.finishAuth(answer),
    call: (name, input) => client.callTool({ name, arguments: { ...input } }),
    close: () => client.close(),
  }
}

function attemptV1(url: URL, { provider }: Person): Attempt {
  const client = new ClientV1({ name: 'authorized v1', version: '1' })
  // The v1 types do not hold under exactOptionalPropertyTypes.
  const options = { authProvider: provider } as ConstructorParameters<typeof TransportV1>[1]
  const transport =
    url.pathname === '/sse' ? new SSETransportV1(url, options) : new TransportV1(url, options)
  return {
    connect: () => client.connect(transport as Parameters<ClientV1['connect']>[0]),
    finish: (answer) => transport.finishAuth(answer.get('code') ?? ''),
    call: (name, input) => client.callTool({ name, arguments: { ...input } }) as never,
    close: () => client.close(),
  }
}

/** A new client replaces the old one after authorization, as the guides of both SDKs describe. */
async function connect(begin: () => Attempt, person: Person): Promise<AuthorizedClient> {
  let current = begin()

  async function afterConsent(): Promise<void> {
    await current.finish(await person.authorizeClient())
    await current.close()
    current = begin()
    await current.connect()
  }

  async function orAuthorize<T>(work: () => Promise<T>): Promise<T | 'authorized'> {
    try {
      return await work()
    } catch (error) {
      if (!isUnauthorized(error)) throw error
      await afterConsent()
      return 'authorized'
    }
  }

  await orAuthorize(() => current.connect())
  return {
    async call(name, input = {}) {
      const result = await orAuthorize(() => current.call(name, input))
      return result === 'authorized' ? current.call(name, input) : result
    },
    close: () => current.close(),
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof UnauthorizedError || error instanceof UnauthorizedErrorV1
}

function v1(path: ClientKind['path']): ClientKind {
  return {
    label: `v1 client at ${path}`,
    stepsUp: false,
    path,
    connect: (url, person) => connect(() => attemptV1(new URL(path, url), person), person),
  }
}

function v2(path: ClientKind['path'], mode: Mode): ClientKind {
  return {
    label: `v2 client, ${mode === 'legacy' ? '2025-11-25' : mode.pin}, at ${path}`,
    stepsUp: path !== '/sse',
    path,
    connect: (url, person) => connect(() => attemptV2(new URL(path, url), person, mode), person),
  }
}

const MODERN = { pin: '2026-07-28' }

export const v1AtMcp = v1('/mcp')

export const AUTHORIZED_CLIENTS: readonly ClientKind[] = [
  v2('/mcp', MODERN),
  v2('/mcp', 'legacy'),
  v1AtMcp,
  v2('/http', MODERN),
  v1('/http'),
  v2('/sse', 'legacy'),
  v1('/sse'),
]
