/** Direct calls, without JSON-RPC: `{"method": …, "params": …}` in, a result or failure out. */

import {
  type AuthInfo,
  type CallToolResult,
  isJSONRPCErrorResponse,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server'
import type { Catalog } from '../../engine/discover.ts'
import type { ToolOutcome } from '../../engine/run-tool.ts'
import type { Team } from '../../engine/team.ts'
import { type Declared, isVisible } from '../../engine/visibility.ts'
import type { McpEndpoint } from '../endpoint.ts'
import { unservedError } from '../handler-errors.ts'
import type { Limits } from '../limits.ts'
import type { McpRequest } from '../mcp-request.ts'
import {
  asAuthInfo,
  attachOutcome,
  audienceOf,
  type RequestContext,
  type Viewer,
} from '../request-context.ts'
import { checkHeaders, exchange, toRequest } from './direct-request.ts'
import { type DirectFailure, protocolFailure, toolFailure, unservedFailure } from './failure.ts'

export interface DirectCallDeps {
  readonly catalog: Catalog
  readonly team: Team
  readonly modern: McpEndpoint['modern']
  readonly limits: Limits
}

export type DirectAnswer =
  | { readonly kind: 'result'; readonly result: object }
  | { readonly kind: 'failure'; readonly failure: DirectFailure }
  /** The caller has disconnected. */
  | { readonly kind: 'cancelled' }

/** A direct call whose tool has run, and its outcome. */
export interface RunCall extends Pick<McpRequest, 'onClose'> {
  readonly message: JSONRPCRequest
  readonly requestContext: RequestContext
  readonly outcome: Promise<ToolOutcome>
}

export type DirectCalls = ReturnType<typeof createDirectCalls>

export function createDirectCalls({ catalog, team, modern, limits }: DirectCallDeps) {
  async function serve(
    request: JSONRPCRequest,
    authInfo: AuthInfo,
    onClose: McpRequest['onClose'],
  ): Promise<DirectAnswer> {
    const server = modern.servers.of(audienceOf(authInfo))
    const answer = await exchange(server, request, { authInfo, onClose })
    if (answer === undefined) return { kind: 'cancelled' }
    if (isJSONRPCErrorResponse(answer)) {
      const unserved = unservedError(authInfo)
      const failure = unserved ? unservedFailure(unserved) : protocolFailure(answer)
      return { kind: 'failure', failure }
    }
    return directAnswer(request.method, answer.result)
  }

  return {
    /**
     * Answers a call as `/mcp` answers the same request of 2026-07-28, without the envelope. A
     * disconnect cancels the call.
     * @throws AppError `invalid_request`, `invalid_params` for a malformed call
     */
    async call({
      request: { headers },
      body,
      contexts,
      onClose,
    }: McpRequest): Promise<DirectAnswer> {
      const request = toRequest(body)
      checkHeaders(headers, request)
      // 2026-07-28 has removed `ping`; direct calls keep it, since their callers know no eras.
      if (request.method === 'ping') return { kind: 'result', result: {} }
      const missing = missingName({ catalog, team }, request, contexts)
      if (missing !== undefined) return { kind: 'failure', failure: missing }

      onClose(limits.call(contexts.caller))
      return serve(request, asAuthInfo(contexts.stateless()), onClose)
    },
    /** Has the SDK continue a call whose tool has run: it asks the caller for input, or failed. */
    finish({ message, requestContext, outcome, onClose }: RunCall): Promise<DirectAnswer> {
      const authInfo = asAuthInfo(requestContext)
      attachOutcome(authInfo, outcome)
      return serve(message, authInfo, onClose)
    },
  }
}

/** Converts a result: tool errors become failures. */
export function directAnswer(
  method: string,
  result: JSONRPCResultResponse['result'],
): DirectAnswer {
  if (method === 'tools/call' && result.isError === true) {
    return { kind: 'failure', failure: toolFailure(result as CallToolResult) }
  }
  return { kind: 'result', result }
}

/** REST-style callers expect 404 for an unknown tool or prompt name. */
function missingName(
  { catalog, team }: Pick<DirectCallDeps, 'catalog' | 'team'>,
  { method, params }: JSONRPCRequest,
  { identity, log }: Viewer,
) {
  const isMissing = (declared: Declared | undefined) =>
    declared === undefined || !isVisible(team, declared, identity, log)
  const { name } = params as { name?: unknown }
  if (typeof name !== 'string') return undefined
  if (method === 'tools/call' && isMissing(catalog.tools.get(name)?.definition)) {
    return { status: 404, code: 'tool_not_found', detail: 'There is no tool of that name.' }
  }
  const prompt = catalog.prompts.find((each) => each.name === name)
  if (method === 'prompts/get' && isMissing(prompt?.definition)) {
    return { status: 404, code: 'prompt_not_found', detail: 'There is no prompt of that name.' }
  }
  return undefined
}
