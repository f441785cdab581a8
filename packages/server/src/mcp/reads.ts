/** Serves resource reads, prompts and completions for a caller, in either era. */

import {
  type CompleteRequest,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { CompiledPrompt } from '../engine/compile-prompt.ts'
import type { CompiledResource } from '../engine/compile-resource.ts'
import type { Catalog } from '../engine/discover.ts'
import type { FindResource } from '../engine/find-resource.ts'
import { runCompletion, type Suggestion } from '../engine/run-completion.ts'
import { runPrompt, runRead } from '../engine/run-read.ts'
import { isVisible } from '../engine/visibility.ts'
import { checkUriLength } from './bounds.ts'
import type { CallToolDeps } from './call-tool.ts'
import type { Origin } from './origin.ts'
import { bindingOf, RequestedCall, requestOf, type ToolRequest } from './tool-call.ts'

export interface ReadDeps extends CallToolDeps {
  readonly findResource: FindResource<CompiledResource>
  readonly originOf: (ctx: ServerContext) => Origin
}

/** Takes the place of the SDK's handlers, which know neither sessions nor sign-in. */
export function serveReads({ server }: McpServer, deps: ReadDeps): void {
  const { catalog, findResource, telemetry, originOf } = deps
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }
  const { resources, prompts } = catalog
  const promptsByName = new Map(prompts.map((prompt) => [prompt.definition.name, prompt]))

  function promptOf(name: string): CompiledPrompt {
    const prompt = promptsByName.get(name)
    if (prompt !== undefined) return prompt
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Prompt ${name} not found`)
  }

  /** What is to be completed. @throws ProtocolError -32602 for what there is not */
  function suggestionOf({ ref, argument, context }: CompleteRequest['params']): Suggestion {
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

  if (resources.length > 0) {
    server.setRequestHandler('resources/read', async ({ params: { uri } }, ctx) => {
      checkUriLength(uri)
      const { identity, log } = originOf(ctx)
      const isThere = ({ definition }: CompiledResource) =>
        isVisible(settings.team, definition, identity, log)
      const found = findResource(uri, isThere)
      if (found === undefined) throw new ResourceNotFoundError(uri)
      const { name } = found.resource
      const request = requestOf({ kind: 'resource', name, arguments: { uri } }, ctx, server)
      const result = await runRequest(deps, request, originOf(ctx), (call) =>
        runRead(found, call, settings, telemetry),
      )
      const isCached = request.client.era === '2026' && 'contents' in result
      return isCached ? { ...result, ...cacheOf(found.resource) } : result
    })
  }
  if (prompts.length > 0) {
    server.setRequestHandler('prompts/get', async ({ params: { name, ...params } }, ctx) => {
      const prompt = promptOf(name)
      const target = { kind: 'prompt', name, arguments: params.arguments ?? {} } as const
      const request = requestOf(target, ctx, server)
      return runRequest(deps, request, originOf(ctx), (call) =>
        runPrompt(prompt, call, settings, telemetry),
      )
    })
  }
  if (completes(catalog)) {
    server.setRequestHandler('completion/complete', async ({ params }, ctx) => {
      const suggestion = suggestionOf(params)
      const { kind, declaration, given } = suggestion
      const target = { kind, name: declaration.name, arguments: given }
      const call = new SilentCall(deps, requestOf(target, ctx, server), originOf(ctx), undefined)
      return runCompletion(suggestion, call, settings)
    })
  }
}

/** Whatever somebody types is not for the audit log. */
class SilentCall extends RequestedCall {
  override audit(): void {}
}

/** Opens what an earlier round left with the client; the answer comes after what was announced. */
async function runRequest<Result>(
  deps: CallToolDeps,
  request: ToolRequest,
  origin: Origin,
  run: (call: RequestedCall) => Promise<Result>,
): Promise<Result> {
  const { sealed } = request
  const carried =
    sealed === undefined
      ? undefined
      : await deps.states.open(sealed, bindingOf(request, origin), origin.storage)
  const call = new RequestedCall(deps, request, origin, carried)
  try {
    return await run(call)
  } finally {
    if (call.publishing !== undefined) await Promise.all(call.publishing)
  }
}

/** Whether anything is suggested. */
export function completes({ resources, prompts }: Catalog): boolean {
  return (
    prompts.some(({ completers }) => completers.size > 0) ||
    resources.some(({ definition }) => definition.complete !== undefined)
  )
}

/** 2026-07-28, server/utilities/caching. What not every caller may read is not for shared caches. */
function cacheOf({ definition: { cache, requires, visible } }: CompiledResource) {
  const isForSome = requires !== undefined || visible !== undefined
  return { ...cache, ...(isForSome && { cacheScope: 'private' as const }) }
}
