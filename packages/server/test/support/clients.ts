/** The official clients: v2 in either era, and the older v1. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ERROR_META_KEY, type ToolErrorFacts } from '../../src/engine/tool-error.ts'

export type Era = '2025-11-25' | '2026-07-28'

export const ERAS: readonly Era[] = ['2025-11-25', '2026-07-28']

export interface ConnectOptions {
  /** Called for URL elicitation; returns the user's action. */
  readonly onUrl?: (url: string, message: string) => Promise<'accept' | 'decline' | 'cancel'>
}

/** Connects the v2 client to `/mcp` in one era. */
export async function connectClient(
  url: string,
  era: Era,
  { onUrl }: ConnectOptions = {},
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client(
    { name: `test client ${era}`, version: '1.0.0' },
    {
      capabilities: onUrl === undefined ? {} : { elicitation: { url: {} } },
      versionNegotiation: { mode: era === '2026-07-28' ? { pin: era } : 'legacy' },
    },
  )
  if (onUrl !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }) => ({
      action: 'url' in params ? await onUrl(params.url, params.message) : 'decline',
    }))
  }
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`))
  await client.connect(transport)
  return { client, transport }
}

/** Connects the v1 client, which knows the 2025 era only. */
export async function connectClientV1(url: string): Promise<ClientV1> {
  const client = new ClientV1({ name: 'test client v1', version: '1.0.0' })
  // The v1 types do not hold under exactOptionalPropertyTypes.
  await client.connect(new TransportV1(new URL(`${url}/mcp`)) as Parameters<ClientV1['connect']>[0])
  return client
}

interface ToolResult {
  readonly content?: unknown
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
  readonly _meta?: unknown
}

/** The code of a failed tool call; undefined for a successful one. */
export function errorCode(result: ToolResult): string | undefined {
  return errorFacts(result).code
}

/** The metadata of a failed tool call for programs. */
export function errorFacts({ isError, _meta }: ToolResult) {
  const meta = _meta as Record<string, ToolErrorFacts> | undefined
  const facts = isError === true ? meta?.[ERROR_META_KEY] : undefined
  return { code: facts?.code, retryAfterSeconds: facts?.retryAfterSeconds }
}

/** The first text of a tool result. */
export function textOf(result: ToolResult): string {
  const [first] = (result.content ?? []) as { text?: string }[]
  return first?.text ?? ''
}

/** The structured content of a tool result. */
export function structured<T>(result: ToolResult): T {
  return result.structuredContent as T
}
