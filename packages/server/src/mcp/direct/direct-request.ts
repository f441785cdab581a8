/** Reads a direct call, and makes the request of the 2026 era of it that says the same. */

import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { MODERN_REVISION } from '../server-factory.ts'

/** A member in another spelling is refused rather than ignored: it was meant to say something. */
const MEMBERS = ['method', 'params']

/**
 * What a caller without the protocol can do: questions come back as a result, and whoever reads it
 * can open a page or fill in a form. Callers that cannot say so in `params._meta`.
 */
const CAPABILITIES: ClientCapabilities = { elicitation: { form: {}, url: {} } }

/** What every direct call says of its client that says nothing itself. */
export const DIRECT_ENVELOPE = {
  [CLIENT_CAPABILITIES_META_KEY]: CAPABILITIES,
  [PROTOCOL_VERSION_META_KEY]: MODERN_REVISION,
}

/** Each call has a server of its own, so that one id will do. */
export const DIRECT_REQUEST_ID = 'direct'

/**
 * @throws AppError `invalid_request` when it is no call, `invalid_params` for `params` that are no
 *   object or name another revision
 */
export function toRequest(body: unknown): JSONRPCRequest {
  const call = asObject(body)
  const unknown = Object.keys(call ?? {}).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) {
    const hint = 'A direct call has "method" and "params"; a message has "jsonrpc": "2.0" as well.'
    throw new AppError('invalid_request', hint)
  }
  const method = call === undefined ? undefined : own(call, 'method')
  if (typeof method !== 'string') throw new AppError('invalid_request', 'There is no "method".')
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
 * 2026-07-28, basic/transports: gateways decide by these headers, so that they must not say
 * something else than the body. A direct call needs none of them.
 * @throws AppError `invalid_request`
 */
export function checkHeaders(headers: Headers, { method, params }: JSONRPCRequest): void {
  const agree = (header: string, value: unknown) => {
    const said = headers.get(header)
    if (said === null || said === value) return
    throw new AppError('invalid_request', `The header ${header} says something else than the body.`)
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

/** A member that is an object if it is there at all. */
function member(object: Fields | undefined, name: string): Fields {
  const value = own(object, name)
  const fields = value === undefined ? {} : asObject(value)
  if (fields === undefined) throw new AppError('invalid_params', `"${name}" must be an object.`)
  return fields
}
