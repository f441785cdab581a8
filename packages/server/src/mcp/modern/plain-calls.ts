/**
 * Tool calls of the 2026 era that need nothing of the SDK: it takes 55 µs to look at a request and
 * to find out that its answer is what the tool said. A call is plain if nothing can be said before
 * its answer, and if it looks in everything but its arguments like one that the SDK has taken.
 * All others, and all that come to something else than a tool's result, are the SDK's.
 */

import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type Implementation,
  isInputRequiredResult,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server'
import { PlainSignal } from '../../engine/cancel-signal.ts'
import type { ToolOutcome } from '../../engine/run-tool.ts'
import { type CallToolDeps, createCallTool } from '../call-tool.ts'
import { type ClientEnvelope, clientOf } from '../client-facts.ts'
import type { Origin } from '../origin.ts'
import { MODERN_REVISION } from '../server.ts'
import type { StandardHeaders } from '../standard-headers.ts'
import { toolsWithHeaders } from './header-parameters.ts'

export interface PlainCallDeps extends CallToolDeps {
  readonly about: Implementation
}

export interface PlainCalls {
  /** The call, if a body is a plain one. */
  find(body: unknown, headers: StandardHeaders): PlainCall | undefined
  /** Remembers what a request said of its client, which the SDK found in order. */
  remember(taken: JSONRPCRequest): void
  /** Runs the tool. A caller that goes away cancels it. */
  run(call: PlainCall, origin: Origin, onClose: (listener: () => void) => void): Promise<PlainEnd>
}

/** The whole answer; or what the tool came to, where it is the SDK's to make an answer of it. */
export type PlainEnd =
  | { readonly answer: JSONRPCResultResponse }
  | { readonly outcome: Promise<ToolOutcome> }

export interface PlainCall {
  readonly message: JSONRPCRequest
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly envelope: ClientEnvelope
}

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params'])
const PARAMS = new Set(['name', 'arguments', '_meta'])
/** Without a token for progress and a level for log lines, which would be told before the answer. */
const ENVELOPE = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
])

/** Clients say the same each time, and there are not many kinds of them. */
const MOST_ENVELOPES = 200
/** Characters. */
const LONGEST_ENVELOPE = 2000

const nothing = async () => undefined

/** One for all: an exception of its own, with its stack, costs each call 10 µs. */
const CALLER_GONE = new DOMException('The caller has gone, or has its answer', 'AbortError')

export function createPlainCalls(deps: PlainCallDeps): PlainCalls {
  const callTool = createCallTool(deps)
  const envelopes = new Set<string>()
  const withHeaders = toolsWithHeaders(deps.catalog)

  /** What a tool without an output schema says has to be looked at. */
  function isPlainTool(name: string): boolean {
    return deps.catalog.tools.get(name)?.output !== undefined && !withHeaders.has(name)
  }

  return {
    find(body, headers) {
      const call = asToolCall(body, headers)
      if (call === undefined || !isPlainTool(call.name)) return undefined
      return envelopes.has(JSON.stringify(call.envelope)) ? call : undefined
    },
    remember({ params }) {
      const envelope = JSON.stringify(params?._meta)
      if (envelope.length > LONGEST_ENVELOPE) return
      if (envelopes.size >= MOST_ENVELOPES) envelopes.clear()
      envelopes.add(envelope)
    },
    async run(call, origin, onClose) {
      const signal = new PlainSignal()
      onClose(() => signal.abort(CALLER_GONE))
      const { era, facts, can } = clientOf(call.envelope)
      const outcome = callTool(
        {
          name: call.name,
          arguments: call.arguments,
          client: { era, facts, can, log: nothing, hangUp: () => undefined },
          signal,
          responses: {},
          sealed: undefined,
          meta: undefined,
          progress: nothing,
        },
        origin,
      )
      const result = await outcome.catch(() => undefined)
      if (result === undefined || isInputRequiredResult(result)) return { outcome }
      const _meta = { ...result._meta, [SERVER_INFO_META_KEY]: deps.about }
      const { id } = call.message
      return {
        answer: { jsonrpc: '2.0', id, result: { ...result, resultType: 'complete', _meta } },
      }
    },
  }
}

/** The call, if a body has the members, and the kinds of values, that a plain one has. */
function asToolCall(body: unknown, headers: StandardHeaders): PlainCall | undefined {
  if (!hasOnly(body, MEMBERS)) return undefined
  const { jsonrpc, id, method, params } = body
  if (jsonrpc !== '2.0' || method !== 'tools/call' || headers.method !== method) return undefined
  if ((typeof id !== 'string' && !Number.isSafeInteger(id)) || !hasOnly(params, PARAMS)) {
    return undefined
  }
  const { name, arguments: input = {}, _meta: envelope } = params
  if (typeof name !== 'string' || headers.name !== name || !isObject(input)) return undefined
  if (!hasOnly(envelope, ENVELOPE) || headers.version !== MODERN_REVISION) return undefined
  if (envelope[PROTOCOL_VERSION_META_KEY] !== MODERN_REVISION) return undefined
  return { message: body as unknown as JSONRPCRequest, name, arguments: input, envelope }
}

function hasOnly(value: unknown, names: ReadonlySet<string>): value is Fields {
  if (!isObject(value)) return false
  for (const name in value) if (!names.has(name)) return false
  return true
}

type Fields = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
