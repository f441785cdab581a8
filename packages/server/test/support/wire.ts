/** Raw requests to `/mcp`, including ones that official clients never send, and the raw responses. */

import { join } from 'node:path'

/** A catalog of tools, resources and prompts for tests of the protocol. */
export const PROTOCOL_CATALOG = join(import.meta.dirname, '../fixtures/protocol')

export interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The messages of the body, whether it was JSON or a stream. */
  readonly messages: readonly Message[]
  /** The last message: the response to the request. */
  readonly message: Message
}

export type HeaderFields = Readonly<Record<string, string>>

const HEADERS: HeaderFields = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

/** Posts text unchanged. Omits empty headers. */
export function postText(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: HeaderFields = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  const fields = Object.entries({ ...HEADERS, ...headers }).filter(([, value]) => value !== '')
  // Bytes, since fetch would add a content type to text that has none.
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  return fetch(`${url}/mcp`, { method: 'POST', headers: fields, body: bytes, signal })
}

/** Posts a message of the 2025 era. */
export function post(
  url: string,
  message: unknown,
  headers: HeaderFields = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return postText(url, JSON.stringify(message), headers, signal)
}

/** Reads a response to its end. */
export async function read(pending: Response | Promise<Response>): Promise<Answer> {
  const response = await pending
  const { status, headers } = response
  const text = await response.text()
  const messages = parseMessages(text)
  return { status, headers, text, messages, message: messages.at(-1) ?? {} }
}

function parseMessages(text: string): Message[] {
  if (text === '') return []
  if (text.startsWith('{')) return [JSON.parse(text) as Message]
  return (
    text
      .split('\n\n')
      .flatMap((event) => event.split('\n').filter((line) => line.startsWith('data: ')))
      .map((line) => line.slice('data: '.length))
      // The first event only has an id for resuming.
      .filter((data) => data !== '')
      .map((data) => JSON.parse(data) as Message)
  )
}

/** A request of the 2025 era. */
export function request(method: string, params: object = {}, id: string | number = 1) {
  return { jsonrpc: '2.0', id, method, params }
}

export const INITIALIZE = request('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'by hand', version: '1' },
})

/** Opens an MCP session (2025 era); returns the headers for later requests. */
export async function connect(url: string, capabilities: object = {}) {
  const params = { ...INITIALIZE.params, capabilities }
  const response = await post(url, { ...INITIALIZE, params })
  await response.text()
  const id = response.headers.get('mcp-session-id') ?? ''
  return { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
}

const META = 'io.modelcontextprotocol'

/** The `_meta` that each request of the 2026 era carries. */
export function envelope(capabilities: object = {}, version = '2026-07-28') {
  return {
    [`${META}/protocolVersion`]: version,
    [`${META}/clientInfo`]: { name: 'by hand', version: '1' },
    [`${META}/clientCapabilities`]: capabilities,
  }
}

export interface ModernOptions {
  readonly capabilities?: object
  readonly headers?: HeaderFields
  readonly signal?: AbortSignal
  readonly id?: string | number
  /** Additional `_meta`, such as a progress token. */
  readonly meta?: object
}

/** Posts a request of the 2026 era, with its headers. */
export function postModern(
  url: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  { capabilities, headers, signal, id = 1, meta }: ModernOptions = {},
): Promise<Response> {
  const name = params.name ?? params.uri
  const fields = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
    ...headers,
  }
  const _meta = { ...envelope(capabilities), ...meta }
  const message = request(method, { ...params, _meta }, id)
  return post(url, message, fields, signal)
}

/** Posts one request in either era; in the 2025 era in a new MCP session. */
export async function sendRequest(
  url: string,
  era: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  if (era === '2026-07-28') return read(postModern(url, method, params))
  return read(post(url, request(method, params), await connect(url)))
}
