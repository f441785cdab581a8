/** Runs a `tools/call` in the engine, for the fast path and the SDK alike, in either era. */

import { ProtocolError, ProtocolErrorCode, type ServerEvent } from '@modelcontextprotocol/server'
import type { CallAudit, RequestStateContent, ToolCall } from '../engine/call.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import { requireUri } from '../engine/context-arguments.ts'
import type { Catalog } from '../engine/discover.ts'
import type { RunSettings } from '../engine/run-settings.ts'
import { runTool, type ToolOutcome } from '../engine/run-tool.ts'
import type { Announce } from '../engine/tool-context.ts'
import { isVisible, mayHide } from '../engine/visibility.ts'
import type { Rate, RateLimits } from '../store/rate-limits.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { EventBus } from './nodes/event-bus.ts'
import type { RequestContext } from './request-context.ts'
import type { RequestStates, StateBinding } from './request-state.ts'
import type { ToolRequest } from './tool-request.ts'

export interface CallToolDeps {
  readonly catalog: Catalog
  readonly settings: RunSettings
  readonly states: RequestStates
  readonly bus: EventBus
  readonly rateLimits: RateLimits
  readonly telemetry: Telemetry
}

/** @throws ProtocolError for an unknown tool, and for a `requestState` that does not verify */
export type CallTool = (
  request: ToolRequest,
  requestContext: RequestContext,
) => Promise<ToolOutcome>

/**
 * Replaces the SDK's handler: only the engine validates arguments, and a `requestState` that does
 * not verify is a protocol error instead of a tool result.
 */
export function createCallTool(deps: CallToolDeps): CallTool {
  const { catalog, telemetry } = deps
  const { team } = deps.settings
  const rules = new Set(
    [...catalog.tools.values()].filter((tool) => mayHide(team, [tool.definition])),
  )
  const isHidden = (tool: CompiledTool, requestContext: RequestContext) =>
    rules.has(tool) &&
    !isVisible(team, tool.definition, requestContext.identity, requestContext.log)
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }

  function run(
    request: ToolRequest,
    requestContext: RequestContext,
    requestState: RequestStateContent | undefined,
  ) {
    const tool = catalog.tools.get(request.name)
    if (tool === undefined || isHidden(tool, requestContext)) return refuseUnknown()
    const call = new RequestedCall(deps, request, requestContext, requestState)
    return runTool(tool, call, settings, telemetry)
  }

  async function refuseUnknown(): Promise<never> {
    telemetry.metrics.toolUnknown()
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
  }

  return (request, requestContext) => {
    const { sealed, name } = request
    if (sealed === undefined || !catalog.tools.has(name))
      return run(request, requestContext, undefined)
    const opening = deps.states.open(
      sealed,
      bindingOf(request, requestContext),
      requestContext.storage,
    )
    return opening.then((requestState) => run(request, requestContext, requestState))
  }
}

interface ToolCallDeps {
  readonly states: RequestStates
  readonly rateLimits: RateLimits
  readonly bus: EventBus
}

/** A call, from its request and the caller's context. Creates its parts lazily. */
export class RequestedCall implements ToolCall {
  readonly #deps: ToolCallDeps
  readonly #request: ToolRequest
  readonly #requestContext: RequestContext
  readonly requestState: RequestStateContent | undefined
  #announcing: Announcing | undefined

  /** `carried` is the opened `requestState` of the earlier round. */
  constructor(
    deps: ToolCallDeps,
    request: ToolRequest,
    requestContext: RequestContext,
    requestState: RequestStateContent | undefined,
  ) {
    this.#deps = deps
    this.#request = request
    this.#requestContext = requestContext
    this.requestState = requestState
  }

  get name() {
    return this.#request.name
  }

  get arguments() {
    return this.#request.arguments
  }

  get caller() {
    return this.#requestContext.identity
  }

  get scopes() {
    return this.#requestContext.scopes
  }

  get clientId() {
    return this.#requestContext.clientId
  }

  get meta() {
    return this.#request.meta
  }

  get responses() {
    return this.#request.responses
  }

  get signal() {
    return this.#request.signal
  }

  get log() {
    return this.#requestContext.log
  }

  get client(): ToolCall['client'] {
    return this.#request.client
  }

  get announce() {
    this.#announcing ??= announceOn(this.#deps.bus)
    return this.#announcing.announce
  }

  get publishing() {
    return this.#announcing && Promise.all(this.#announcing.publishing)
  }

  async count(rate: Rate) {
    const { kind, name } = this.#request
    const what = kind === undefined ? name : `${kind} ${name}`
    const who = `${what} ${this.#requestContext.caller}`
    const [standing] = await this.#deps.rateLimits.count([{ limit: 'tool', who, rate }])
    return standing
  }

  openSession(handle: string | undefined) {
    return this.#requestContext.openSession(handle, this.#request.client)
  }

  upstreamFor(...given: Parameters<ToolCall['upstreamFor']>) {
    return this.#requestContext.upstreamFor(...given)
  }

  sealRequestState(state: RequestStateContent) {
    const round = (this.requestState?.round ?? 1) + 1
    return this.#deps.states.seal(
      { ...state, round },
      bindingOf(this.#request, this.#requestContext),
    )
  }

  progress(done: number, total?: number, message?: string) {
    return this.#request.progress(done, total, message)
  }

  audit(entry: CallAudit): void {
    this.#requestContext.audit(entry)
  }
}

type Announcing = ReturnType<typeof announceOn>

function announceOn(bus: EventBus) {
  const publishing: Promise<void>[] = []
  const announce = announceBy((event) => void publishing.push(bus.publish(event)))
  return { announce, publishing }
}

/** Converts announcements of tools, services and routes into events of the SDK. */
export function announceBy(publish: (event: ServerEvent) => void): Announce {
  return {
    toolsChanged: () => publish({ kind: 'tools_list_changed' }),
    promptsChanged: () => publish({ kind: 'prompts_list_changed' }),
    resourcesChanged: () => publish({ kind: 'resources_list_changed' }),
    resourceUpdated(uri) {
      requireUri(uri, 'announce.resourceUpdated: the URI')
      for (const spelling of spellingsOf(uri)) publish({ kind: 'resource_updated', uri: spelling })
    },
  }
}

/**
 * A URI as declared, and as clients send it that parse URIs: percent-encoded (RFC 3986, 2.1).
 * Subscriptions are compared as strings.
 */
function spellingsOf(uri: string): ReadonlySet<string> {
  return new Set(URL.canParse(uri) ? [uri, new URL(uri).href] : [uri])
}

/** The caller and request that the `requestState` of a call is bound to. */
export function bindingOf(
  { kind = 'tool', name, arguments: input }: ToolRequest,
  { principal }: RequestContext,
): StateBinding {
  return { principal, for: `${kind} ${name}`, arguments: input }
}
