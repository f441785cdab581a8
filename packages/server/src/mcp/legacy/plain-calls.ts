/**
 * Tool calls of the 2025 era that need nothing of the SDK: it takes 50 µs to look at a request and
 * to find out that its answer is what the tool said. All that come to something else than a tool's
 * result are the SDK's, such as questions to the client.
 */

import {
  isInputRequiredResult,
  type JSONRPCRequest,
  type LoggingLevel,
  type MessageExtraInfo,
} from '@modelcontextprotocol/server'
import { PlainSignal } from '../../engine/cancel-signal.ts'
import type { Catalog } from '../../engine/discover.ts'
import type { CallTool } from '../call-tool.ts'
import { clientOfConnection } from '../client-facts.ts'
import { carriedOrigin, carryOutcome } from '../origin.ts'
import type { RequestOutlet, SharedServer } from '../shared-server.ts'
import type { ToolRequest } from '../tool-call.ts'

export interface PlainCallDeps {
  readonly catalog: Catalog
  readonly callTool: CallTool
}

/** 2025-11-25, server/utilities/logging, from the least to the most severe. */
const LEVELS: readonly LoggingLevel[] = [
  ...(['debug', 'info', 'notice', 'warning'] as const),
  ...(['error', 'critical', 'alert', 'emergency'] as const),
]

/** One for all: an exception of its own, with its stack, costs each call 10 µs. */
const CALL_ENDED = new DOMException('The call has ended', 'AbortError')

/** The same server, which runs plain calls itself. `logLevel` is what its clients asked for. */
export function withPlainCalls(
  shared: SharedServer,
  logLevel: LoggingLevel | null,
  deps: PlainCallDeps,
): SharedServer {
  const least = logLevel === null ? 0 : LEVELS.indexOf(logLevel)
  const client = clientOfConnection(shared.server.server)

  /** What the tool may say before its answer goes out like everything else of the request. */
  function toolRequest(call: Named, { tell }: Way, extra: MessageExtraInfo) {
    const request: Omit<ToolRequest, 'signal'> = {
      name: call.name,
      arguments: call.arguments ?? {},
      client: {
        ...client,
        async log(level, data) {
          if (LEVELS.indexOf(level) >= least) tell('notifications/message', { level, data })
        },
        hangUp: () => extra.closeSSEStream?.(),
        async elicitationCompleted(elicitationId) {
          tell('notifications/elicitation/complete', { elicitationId })
        },
      },
      responses: {},
      sealed: undefined,
      meta: undefined,
      progress: async () => undefined,
    }
    return request
  }

  function run(
    request: JSONRPCRequest,
    call: Named,
    outlet: RequestOutlet,
    extra: MessageExtraInfo,
  ) {
    const signal = new PlainSignal()
    const way = createWay(outlet, () => signal.abort(CALL_ENDED))
    const tool = { ...toolRequest(call, way, extra), signal }
    const outcome = deps.callTool(tool, carriedOrigin(extra.authInfo))
    let cancelShared: (reason: string) => void = () => undefined
    const handOver = () => {
      if (!way.isOpen()) return
      carryOutcome(extra.authInfo, outcome)
      cancelShared = shared.serve(request, way.outlet, extra)
    }
    outcome.then((result) => {
      if (isInputRequiredResult(result)) return handOver()
      const { output } = deps.catalog.tools.get(call.name) ?? {}
      const projected = shared.server.server.projectCallToolResult(result, output?.jsonSchema)
      way.outlet.answer({ jsonrpc: '2.0', id: request.id, result: projected })
    }, handOver)
    return (reason: string) => {
      way.close()
      cancelShared(reason)
    }
  }

  return {
    ...shared,
    serve(request, outlet, extra) {
      const call = asPlainCall(request)
      const isPlain = call && deps.catalog.tools.get(call.name)?.output !== undefined
      return isPlain ? run(request, call, outlet, extra) : shared.serve(request, outlet, extra)
    },
  }
}

interface Named {
  readonly name: string
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** A call with a name and arguments alone: without a token there is no progress to tell. */
function asPlainCall({ method, params = {} }: JSONRPCRequest): Named | undefined {
  if (method !== 'tools/call') return undefined
  const { name, arguments: input, ...more } = params
  if (typeof name !== 'string' || Object.keys(more).length > 0) return undefined
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
  return input === undefined || isObject ? (params as unknown as Named) : undefined
}

type Way = ReturnType<typeof createWay>

/** The way out of one call, which is closed by its answer and by whoever does not want that. */
function createWay(outlet: RequestOutlet, onClose: () => void) {
  let open = true
  const close = () => {
    if (!open) return
    open = false
    onClose()
  }
  const whileOpen: RequestOutlet = {
    tell(message) {
      if (open) outlet.tell(message)
    },
    answer(message) {
      if (!open) return
      close()
      outlet.answer(message)
    },
  }
  return {
    outlet: whileOpen,
    close,
    isOpen: () => open,
    tell: (method: string, params: Record<string, unknown>) =>
      whileOpen.tell({ jsonrpc: '2.0', method, params }),
  }
}
