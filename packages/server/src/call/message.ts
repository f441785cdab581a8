/**
 * Reads and parses the JSON body of a call, enforcing limits as early as they can be checked, and
 * decides which requests take the fast path: one rule for both eras and for direct calls. A
 * `tools/call` is plain if only its tool can send messages before the result, and if all but its
 * arguments matches a form that the SDK accepts. All other requests, valid or not, go to the SDK:
 * the fast path accepts nothing that the SDK would reject.
 */

import type { IncomingHttpHeaders } from 'node:http'
import {
  isJsonContentType,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import { AppError } from '../errors.ts'
import { type BodyBudget, UNCOUNTED_BYTES } from '../http/body-budget.ts'
import { isDirectCall } from '../http/problem.ts'
import { bodyTooLarge, readBody } from '../http/read-body.ts'
import { isObject, parseJson } from '../json-structure.ts'
import { DIRECT_ENVELOPE, DIRECT_REQUEST_ID } from '../mcp/direct/direct-request.ts'
import { checkMessageBounds, omitNulls } from '../mcp/incoming-message.ts'
import { type KnownClients, type QuietClient, quietClientOf } from '../mcp/modern/known-clients.ts'
import { toolsWithHeaders } from '../mcp/modern/plain-requests.ts'
import { MODERN_REVISION } from '../mcp/server-factory.ts'
import { acceptsAnswers } from '../mcp/standard-headers.ts'
import type { Call } from './fast-call.ts'

export interface ToolMessage {
  readonly era: '2025' | '2026' | 'direct'
  readonly id: RequestId
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** The client that the request describes; undefined in the 2025 era: the MCP session has it. */
  readonly client: QuietClient | undefined
  /** The call as a JSON-RPC request. */
  readonly request: JSONRPCRequest
}

/** Returns the tool call if the body is a plain one; `path` is the path of the route. */
export type FindToolMessage = (
  body: unknown,
  headers: IncomingHttpHeaders,
  path: string,
) => ToolMessage | undefined

type Fields = Readonly<Record<string, unknown>>

const DIRECT_CLIENT = quietClientOf(DIRECT_ENVELOPE)
const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params'])
const DIRECT_MEMBERS = new Set(['method', 'params'])
const PARAMS = new Set(['name', 'arguments', '_meta'])
/** Excludes `progressToken` and the log level: they ask for notifications before the response. */
const ENVELOPE = new Set([
  PROTOCOL_VERSION_META_KEY,
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
])

export function createFindToolMessage(
  catalog: Catalog,
  clients: Pick<KnownClients, 'find'>,
  { era2025 }: { readonly era2025: boolean },
): FindToolMessage {
  const { tools } = catalog
  const withHeaders = toolsWithHeaders(catalog)

  /** The SDK checks results of tools without an output schema, and header parameters. */
  const isPlain = (name: string, tool: CompiledTool | undefined) =>
    tool?.output !== undefined && !withHeaders.has(name)

  return (body, headers, path) => {
    if (path === '/messages' || !isObject(body) || body.method !== 'tools/call') return undefined
    const { params } = body
    if (!hasOnly(params, PARAMS)) return undefined
    const { name, arguments: input = {}, _meta: envelope } = params
    if (typeof name !== 'string' || !isObject(input)) return undefined
    if (!isPlain(name, tools.get(name))) return undefined
    if (path === '/http' && isDirectCall(body)) {
      return envelope === undefined ? asDirect(body, headers, name, input) : undefined
    }
    const { id } = body
    if (!hasOnly(body, MEMBERS) || body.jsonrpc !== '2.0' || !isRequestId(id)) return undefined
    if (!acceptsAnswers(headers.accept)) return undefined
    const request = body as unknown as JSONRPCRequest
    if (envelope === undefined) {
      // The SDK wraps results that are not objects.
      if (tools.get(name)?.output?.isObject !== true) return undefined
      if (!era2025 || !isOf2025(headers)) return undefined
      return { era: '2025', id, name, arguments: input, client: undefined, request }
    }
    if (!hasOnly(envelope, ENVELOPE) || !isOf2026(headers, envelope, name)) return undefined
    const client = clients.find(envelope)
    return client && { era: '2026', id, name, arguments: input, client, request }
  }
}

/** 2026-07-28, basic/transports: headers, if present, must match the body. */
function asDirect(
  body: Fields,
  headers: IncomingHttpHeaders,
  name: string,
  input: Fields,
): ToolMessage | undefined {
  const { 'mcp-method': method = 'tools/call', 'mcp-name': named = name } = headers
  if (!hasOnly(body, DIRECT_MEMBERS) || method !== 'tools/call' || named !== name) return undefined
  const id = DIRECT_REQUEST_ID
  const params = { name, arguments: input, _meta: DIRECT_ENVELOPE }
  const request: JSONRPCRequest = { jsonrpc: '2.0', id, method, params }
  return { era: 'direct', id, name, arguments: input, client: DIRECT_CLIENT, request }
}

function isOf2025(headers: IncomingHttpHeaders): boolean {
  const { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name } = headers
  if (typeof version !== 'string' || method !== undefined || name !== undefined) return false
  return SUPPORTED_PROTOCOL_VERSIONS.includes(version)
}

/** SEP-2243, "Standard Request Headers". */
function isOf2026(headers: IncomingHttpHeaders, envelope: Fields, name: string): boolean {
  const { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': named } = headers
  if (version !== MODERN_REVISION || method !== 'tools/call' || named !== name) return false
  return envelope[PROTOCOL_VERSION_META_KEY] === MODERN_REVISION
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' || Number.isSafeInteger(id)
}

function hasOnly(value: unknown, names: ReadonlySet<string>): value is Fields {
  if (!isObject(value)) return false
  for (const name in value) if (!names.has(name)) return false
  return true
}

export interface BodyOptions {
  readonly bodyLimitBytes: number
  /** Maximum number of values in the JSON. */
  readonly bodyMaxValues: number
}

/**
 * Rejects by headers alone: content codings and other content types with 415 (RFC 9110, 15.5.16),
 * a `Content-Length` above the limit with 413. Returns the `Content-Length`, if there is one.
 */
export function checkHeaders(
  headers: IncomingHttpHeaders,
  { bodyLimitBytes }: BodyOptions,
): number | undefined {
  const {
    'content-encoding': encoding,
    'content-type': type,
    'content-length': announced,
  } = headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media_type', 'Content-Encoding is not supported.')
  }
  if (type !== 'application/json' && !isJsonContentType(type ?? null)) {
    throw new AppError('unsupported_media_type', 'Content-Type must be application/json.')
  }
  if (announced === undefined) return undefined
  const length = Number(announced)
  if (length > bodyLimitBytes) throw bodyTooLarge(bodyLimitBytes)
  return length
}

/**
 * Reads a body before authentication if the body budget does not count it and the client does not
 * send `Expect: 100-continue`. All other bodies stay unread until the caller is authenticated.
 */
export function readEarly(call: Call, length: number | undefined, read: ReadBytes): void {
  if (length === undefined || length > UNCOUNTED_BYTES) return
  const { incoming } = call
  if (expectsContinue(incoming.headers)) return
  // Common case: the whole body is buffered, so that no listeners are needed.
  if (incoming.complete && incoming.readableLength === length && length > 0) {
    call.early = incoming.read() as Buffer
    return
  }
  const arriving = read(call)
  // Prevents an unhandled rejection if the request is refused before it awaits its body.
  arriving.catch(() => undefined)
  call.early = arriving
}

export type ReadBytes = (call: Call) => Promise<Buffer>

export function createReadBytes({ bodyLimitBytes }: BodyOptions, budget: BodyBudget): ReadBytes {
  return ({ incoming, outgoing }) =>
    readBody(incoming, { limitBytes: bodyLimitBytes, share: budget.shareOf(outgoing) })
}

/**
 * Parses the body into the call. Rejects with 413 if the body exceeds the limit for its kind of
 * message, with 400 if it is not JSON or has too many values, with 503 if the node lacks memory.
 */
export function parseBody(call: Call, bytes: Buffer, { bodyMaxValues }: BodyOptions): void {
  call.bodyBytes = bytes.byteLength
  call.body = omitNulls(parseJson(bytes, bodyMaxValues))
  checkMessageBounds(call.body, bytes.byteLength)
}

/** Whether the client waits for an interim response before it sends the body (RFC 9110, 10.1.1). */
function expectsContinue(headers: IncomingHttpHeaders): boolean {
  return headers.expect?.toLowerCase() === '100-continue'
}
