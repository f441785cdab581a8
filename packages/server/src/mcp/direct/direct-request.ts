/** Converts a direct call into the equivalent request of the 2026 era, and has it served. */

import {
  type AuthInfo,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type JSONRPCRequest,
  type JSONRPCResponse,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { MODERN_REVISION } from '../server-factory.ts'
import type { SharedServer } from '../shared-server.ts'

/** Rejects unknown members instead of ignoring them: they are probably misspelled. */
const MEMBERS = ['method', 'params']

/**
 * Default capabilities of direct callers: elicitation arrives as a result, and its reader can open
 * a URL or fill in a form. Callers without these capabilities override them in `params._meta`.
 */
const CAPABILITIES: ClientCapabilities = { elicitation: { form: {}, url: {} } }

/** The envelope of direct calls that have no `params._meta`. */
export const DIRECT_ENVELOPE = {
  [CLIENT_CAPABILITIES_META_KEY]: CAPABILITIES,
  [PROTOCOL_VERSION_META_KEY]: MODERN_REVISION,
}

/** Shared by all direct calls, which need no id of their own: `SharedServer` renumbers requests. */
export const DIRECT_REQUEST_ID = 'direct'

/**
 * @throws AppError `invalid_request` if the body is not a direct call, `invalid_params` if `params`
 *   is not an object or names another revision
 */
export function toRequest(body: unknown): JSONRPCRequest {
  const call = asObject(body)
  const unknown = Object.keys(call ?? {}).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) {
    const hint = 'A direct call has "method" and "params"; a message has "jsonrpc": "2.0" as well.'
    throw new AppError('invalid_request', hint)
  }
  const method = call === undefined ? undefined : own(call, 'method')
  if (typeof method !== 'string')
    throw new AppError('invalid_request', 'The member "method" must be a string.')
  const params = member(call, 'params')
  const meta = member(params, '_meta')
  if ((own(meta, PROTOCOL_VERSION_META_KEY) ?? MODERN_REVISION) !== MODERN_REVISION) {
    throw new AppError('invalid_params', `Direct calls follow revision ${MODERN_REVISION}.`)
  }
  const _meta = {
    [CLIENT_CAPABILITIES_META_KEY]: CAPABILITIES,
    ...meta,
    [PROTOCOL_VERSION_META_KEY]: MODERN_REVISION,
  }
  return { jsonrpc: '2.0', id: DIRECT_REQUEST_ID, method, params: { ...params, _meta } }
}

/**
 * 2026-07-28, basic/transports: gateways route by these headers, so they must match the body. They
 * are optional for direct calls.
 * @throws AppError `invalid_request`
 */
export function checkHeaders(headers: Headers, { method, params }: JSONRPCRequest): void {
  const agree = (header: string, value: unknown) => {
    const said = headers.get(header)
    if (said === null || said === value) return
    throw new AppError('invalid_request', `The header ${header} does not match the body.`)
  }
  agree('Mcp-Method', method)
  agree('Mcp-Name', params?.name ?? params?.uri)
}

type Fields = Readonly<Record<string, unknown>>

function asObject(value: unknown): Fields | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Fields) : undefined
}

function own(object: Fields | undefined, name: string): unknown {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined
}

/** Returns an optional member that must be an object. */
function member(object: Fields | undefined, name: string): Fields {
  const value = own(object, name)
  const fields = value === undefined ? {} : asObject(value)
  if (fields === undefined) throw new AppError('invalid_params', `"${name}" must be an object.`)
  return fields
}

interface DirectExchange {
  readonly authInfo: AuthInfo
  /** Calls the listener when the response is sent or the caller disconnects. */
  readonly onClose: (listener: () => void) => void
}

/**
 * Runs the request and returns its response. Drops notifications, which a direct call cannot
 * receive. A disconnect cancels the call; the result is then undefined.
 */
export function exchange(
  server: SharedServer,
  request: JSONRPCRequest,
  { authInfo, onClose }: DirectExchange,
): Promise<JSONRPCResponse | undefined> {
  return new Promise((resolve) => {
    const sink = { notify: () => undefined, respond: resolve }
    const cancel = server.serve(request, sink, { authInfo })
    onClose(() => {
      cancel('the caller is gone')
      resolve(undefined)
    })
  })
}
