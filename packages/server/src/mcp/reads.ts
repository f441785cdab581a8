/** Serves resource reads, prompts and completions, in both eras. */

import {
  type CompleteRequest,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceRequest,
  type ReadResourceResult,
  ResourceNotFoundError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { CompiledPrompt } from '../engine/compile-prompt.ts'
import type { CompiledResource } from '../engine/compile-resource.ts'
import type { Catalog } from '../engine/discover.ts'
import type { FindResource } from '../engine/find-resource.ts'
import { runCompletion, type Suggestion } from '../engine/run-completion.ts'
import { runPrompt, runRead } from '../engine/run-read.ts'
import type { RunSettings } from '../engine/run-settings.ts'
import { isVisible } from '../engine/visibility.ts'
import { checkUriLength } from './bounds.ts'
import type { CallToolDeps } from './call-tool.ts'
import { bindingOf, RequestedCall } from './call-tool.ts'
import type { RequestContext } from './request-context.ts'
import { requestOf, type ToolRequest } from './tool-request.ts'

export interface ReadDeps {
  readonly calls: CallToolDeps
  readonly findResource: FindResource<CompiledResource>
  readonly requestContextOf: (ctx: ServerContext) => RequestContext
}

/** Replaces the SDK's handlers, which support neither sessions nor sign-in. */
export function serveReads({ server }: McpServer, deps: ReadDeps): void {
  const { catalog } = deps.calls
  const settings = { ...deps.calls.settings, hasLoginTool: catalog.tools.has('login') }
  const promptOf = createFindPrompt(catalog)
  if (catalog.resources.length > 0) serveResources(server, deps, settings)
  if (catalog.prompts.length > 0) servePrompts(server, deps, settings, promptOf)
  if (completes(catalog)) serveCompletions(server, deps, settings, promptOf)
}

type Server = McpServer['server']

function serveResources(server: Server, deps: ReadDeps, settings: RunSettings): void {
  const { calls, findResource, requestContextOf } = deps
  const readOfExtension = sdkRead(server, calls.catalog, findResource)
  server.setRequestHandler('resources/read', async (request, ctx) => {
    const { uri } = request.params
    checkUriLength(uri)
    const { identity, log } = requestContextOf(ctx)
    const isThere = ({ definition }: CompiledResource) =>
      isVisible(settings.team, definition, identity, log)
    const found = findResource(uri, isThere)
    if (found === undefined) return readOfExtension(uri, request, ctx)
    const { name } = found.resource
    const read = requestOf({ kind: 'resource', name, arguments: { uri } }, ctx, server)
    const result = await runRequest(calls, read, requestContextOf(ctx), (call) =>
      runRead(found, call, settings, calls.telemetry),
    )
    const isCached = read.client.era === '2026' && 'contents' in result
    return isCached ? { ...result, ...cacheOf(found.resource) } : result
  })
}

function servePrompts(
  server: Server,
  { calls, requestContextOf }: ReadDeps,
  settings: RunSettings,
  promptOf: FindPrompt,
): void {
  server.setRequestHandler('prompts/get', async ({ params: { name, ...params } }, ctx) => {
    const prompt = promptOf(name)
    const target = { kind: 'prompt', name, arguments: params.arguments ?? {} } as const
    const request = requestOf(target, ctx, server)
    return runRequest(calls, request, requestContextOf(ctx), (call) =>
      runPrompt(prompt, call, settings, calls.telemetry),
    )
  })
}

function serveCompletions(
  server: Server,
  { calls, requestContextOf }: ReadDeps,
  settings: RunSettings,
  promptOf: FindPrompt,
): void {
  server.setRequestHandler('completion/complete', async ({ params }, ctx) => {
    const suggestion = suggestionOf(params, calls.catalog.resources, promptOf)
    const { kind, declaration, given } = suggestion
    const target = { kind, name: declaration.name, arguments: given }
    const asked = requestOf(target, ctx, server)
    const call = new SilentCall(calls, asked, requestContextOf(ctx), undefined)
    return runCompletion(suggestion, call, settings)
  })
}

/** @throws ProtocolError -32602 for an unknown name */
type FindPrompt = (name: string) => CompiledPrompt

function createFindPrompt({ prompts }: Catalog): FindPrompt {
  const byName = new Map(prompts.map((prompt) => [prompt.definition.name, prompt]))
  return (name) => {
    const prompt = byName.get(name)
    if (prompt !== undefined) return prompt
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Prompt ${name} not found`)
  }
}

/** Finds the argument to complete. @throws ProtocolError -32602 for an unknown reference */
function suggestionOf(
  { ref, argument, context }: CompleteRequest['params'],
  resources: Catalog['resources'],
  promptOf: FindPrompt,
): Suggestion {
  const { name, value: typed } = argument
  const about = { typed, given: { ...context?.arguments } }
  if (ref.type === 'ref/prompt') {
    const { definition: declaration, completers, masks } = promptOf(ref.name)
    return { ...about, kind: 'prompt', declaration, masks, complete: completers.get(name) }
  }
  const resource = resources.find(({ uri }) => uri === ref.uri)
  if (resource === undefined) {
    const text = `Resource template ${ref.uri} not found`
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, text)
  }
  const { definition: declaration, masks } = resource
  const { complete = {} } = declaration
  const completer = Object.hasOwn(complete, name) ? complete[name] : undefined
  return { ...about, kind: 'resource', declaration, masks, complete: completer }
}

type Read = (request: ReadResourceRequest, ctx: ServerContext) => Promise<ReadResourceResult>

/** The SDK's handler, for resources of extensions only: catalog resources, hidden or not, fail. */
function sdkRead(server: Server, catalog: Catalog, findResource: ReadDeps['findResource']) {
  const { _requestHandlers: handlers } = server as unknown as {
    readonly _requestHandlers: ReadonlyMap<string, Read>
  }
  const read = handlers.get('resources/read')
  return async (uri: string, request: ReadResourceRequest, ctx: ServerContext) => {
    const isOurs = findResource(uri, () => true) !== undefined
    if (isOurs || read === undefined || catalog.extensions === undefined) {
      throw new ResourceNotFoundError(uri)
    }
    return read(request, ctx)
  }
}

/** Completions are not audited: they contain what a user is typing. */
class SilentCall extends RequestedCall {
  override audit(): void {}
}

/** Opens the `requestState` of an earlier round, if there is one, and runs the request. */
async function runRequest<Result>(
  deps: CallToolDeps,
  request: ToolRequest,
  requestContext: RequestContext,
  run: (call: RequestedCall) => Promise<Result>,
): Promise<Result> {
  const { sealed } = request
  const requestState =
    sealed === undefined
      ? undefined
      : await deps.states.open(sealed, bindingOf(request, requestContext), requestContext.storage)
  const call = new RequestedCall(deps, request, requestContext, requestState)
  return run(call)
}

/** Whether the catalog has any completions. */
export function completes({ resources, prompts }: Catalog): boolean {
  return (
    prompts.some(({ completers }) => completers.size > 0) ||
    resources.some(({ definition }) => definition.complete !== undefined)
  )
}

/** 2026-07-28, server/utilities/caching. Keeps access-restricted resources out of shared caches. */
function cacheOf({ definition: { cache, requires, visible } }: CompiledResource) {
  const isForSome = requires !== undefined || visible !== undefined
  return { ...cache, ...(isForSome && { cacheScope: 'private' as const }) }
}
