/** The official clients with all client capabilities, behind one interface. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { CallResult } from './callers.ts'

export interface CallOptions {
  readonly onprogress?: (progress: { progress: number; message?: string | undefined }) => void
  readonly signal?: AbortSignal
}

export interface FullClient {
  readonly call: (
    tool: string,
    input?: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ) => Promise<CallResult>
  close(): Promise<void>
}

/**
 * `canary` is in the client's answers, so that a mix-up of answers is detected; `send`
 * sends its requests.
 */
export type ConnectFull = (url: string, canary?: string, send?: typeof fetch) => Promise<FullClient>

const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }

const answers = (canary: string) => ({
  form: { action: 'accept' as const, content: { name: canary } },
  url: { action: 'accept' as const },
  sample: {
    role: 'assistant' as const,
    model: 'test',
    content: { type: 'text' as const, text: canary },
  },
  roots: { roots: [{ uri: `file:///${canary}` }] },
})

async function connectV1(url: string, canary = 'v1', send = fetch): Promise<FullClient> {
  const client = new ClientV1({ name: 'full v1', version: '1.0.0' }, { capabilities: CAPABILITIES })
  const known = answers(canary)
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) =>
    'url' in params ? known.url : known.form,
  )
  client.setRequestHandler(CreateMessageRequestSchema, async () => known.sample)
  client.setRequestHandler(ListRootsRequestSchema, async () => known.roots)
  const transport = new TransportV1(new URL(`${url}/mcp`), { fetch: send as FetchLike })
  // The v1 types do not hold under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientV1['connect']>[0])
  return {
    call: (name, input = {}, options = {}) =>
      client.callTool({ name, arguments: { ...input } }, undefined, options as object),
    close: () => client.close(),
  }
}

function connectV2(mode: 'legacy' | { pin: string }): ConnectFull {
  return async (url, canary = 'v2', send = fetch) => {
    const client = new Client(
      { name: 'full v2', version: '1.0.0' },
      { capabilities: CAPABILITIES, versionNegotiation: { mode } },
    )
    const known = answers(canary)
    client.setRequestHandler('elicitation/create', async ({ params }) =>
      'url' in params ? known.url : known.form,
    )
    client.setRequestHandler('sampling/createMessage', async () => known.sample)
    client.setRequestHandler('roots/list', async () => known.roots)
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { fetch: send }))
    return {
      call: (name, input = {}, options = {}) =>
        client.callTool({ name, arguments: { ...input } }, options as object),
      close: () => client.close(),
    }
  }
}

/** The clients of the 2025 era. */
export const LEGACY_CLIENTS: Readonly<Record<string, ConnectFull>> = {
  'v1 client, 2025-11-25': connectV1,
  'v2 client, 2025-11-25': connectV2('legacy'),
}

export const FULL_CLIENTS: Readonly<Record<string, ConnectFull>> = {
  ...LEGACY_CLIENTS,
  'v2 client, 2026-07-28': connectV2({ pin: '2026-07-28' }),
}
