/** Fills the SDK's registries from the catalog. */

import {
  type McpServer,
  type ReadResourceResult,
  ResourceTemplate,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import type { CarriedState } from '../engine/call.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { HookTarget } from '../engine/define-hook.ts'
import type { AnyPrompt } from '../engine/define-prompt.ts'
import {
  type ResourceDefinition,
  type ResourceRequest,
  toResourceResult,
} from '../engine/define-resource.ts'
import { renderPrompt } from '../engine/render-prompt.ts'
import { type HookFacts, runHooked } from '../engine/run-hooks.ts'
import type { Team } from '../engine/team.ts'
import type { JsonSchema } from '../output/listed-schema.ts'
import type { CallingClient } from './client-facts.ts'
import type { Origin } from './origin.ts'
import type { RequestStates } from './request-state.ts'

/**
 * Gives the SDK registries without a prototype: it looks up whatever name a client sends, and would
 * find `constructor` in all of its own. Call it before anything is registered.
 */
export function clearRegistries(mcp: McpServer): void {
  Object.assign(mcp, {
    _registeredTools: Object.create(null),
    _registeredPrompts: Object.create(null),
    _registeredResources: Object.create(null),
    _registeredResourceTemplates: Object.create(null),
  })
}

/** Runs are the engine's: the SDK only lists the tool and checks the headers of its calls. */
export function registerTool(
  mcp: McpServer,
  { definition }: CompiledTool,
  inputSchema: StandardSchemaWithJSON,
  outputSchema: StandardSchemaWithJSON | undefined,
): void {
  const { name, title, description, annotations } = definition
  const about = {
    ...(title !== undefined && { title }),
    ...(annotations !== undefined && { annotations }),
  }
  const config = {
    ...{ ...about, description, inputSchema },
    ...(outputSchema !== undefined && { outputSchema }),
  }
  mcp.registerTool(name, config, () => {
    throw new Error('Tools are run by the engine')
  })
}

export interface ReadDeps {
  readonly team: Team
  /** For each hook. */
  readonly timeoutSeconds: number
  readonly clientOf: (ctx: ServerContext) => CallingClient
  readonly originOf: (ctx: ServerContext) => Origin
}

export function registerResource(
  mcp: McpServer,
  resource: ResourceDefinition,
  deps: ReadDeps,
): void {
  const { name, title, description, mimeType, uri, cache, complete = {} } = resource
  const metadata = {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(mimeType !== undefined && { mimeType }),
    ...(cache !== undefined && { cacheHint: cache }),
  }
  if (!uri.includes('{')) {
    mcp.registerResource(name, uri, metadata, async (url, ctx) =>
      readResource(resource, url, {}, ctx, deps),
    )
    return
  }
  const suggest = Object.entries(complete).map(
    ([variable, suggestions]) => [variable, (typed: string) => [...suggestions(typed)]] as const,
  )
  const template = new ResourceTemplate(uri, {
    list: undefined,
    // Without a prototype: the SDK looks up whatever name the client sends, `constructor` too.
    complete: Object.assign(Object.create(null), Object.fromEntries(suggest)),
  })
  mcp.registerResource(name, template, metadata, async (url, variables, ctx) =>
    readResource(resource, url, variables, ctx, deps),
  )
}

async function readResource(
  resource: ResourceDefinition,
  uri: URL,
  variables: ResourceRequest['variables'],
  ctx: ServerContext,
  deps: ReadDeps,
): Promise<ReadResourceResult> {
  const { signal } = ctx.mcpReq
  const { team, timeoutSeconds, originOf } = deps
  const caller = originOf(ctx).identity
  const { name, title } = resource
  const target = { kind: 'resource', name, title } as const
  const input = { uri: uri.href, ...variables }
  return runHooked(team, () => hookFacts(target, input, ctx, deps), {
    async work() {
      const value = await resource.read({ uri, variables, signal, caller, ...team.env })
      return toResourceResult(resource, uri, value)
    },
    contentOf: ({ contents }) => contents,
    timeoutSeconds,
  })
}

function hookFacts(
  target: HookTarget,
  input: HookFacts['input'],
  ctx: ServerContext,
  { originOf, clientOf }: ReadDeps,
  carried?: CarriedState,
) {
  const { identity: caller, log } = originOf(ctx)
  const { clientName: name, protocolVersion } = clientOf(ctx).facts
  const call = { caller, log, carried, signal: ctx.mcpReq.signal }
  return { target, input, call, client: { name, protocolVersion } }
}

export interface PromptDeps extends ReadDeps {
  readonly states: RequestStates
}

export function registerPrompt(
  mcp: McpServer,
  prompt: AnyPrompt,
  argsSchema: AnyPrompt['arguments'],
  deps: PromptDeps,
): void {
  const { name, title, description } = prompt
  const about = { ...(title !== undefined && { title }), description }
  mcp.registerPrompt(name, { ...about, argsSchema }, async (input, ctx) => {
    const { principal, storage, identity } = deps.originOf(ctx)
    const binding = { principal, for: `prompt ${name}`, arguments: input }
    const sealed = ctx.mcpReq.requestState<string>()
    const carried =
      sealed === undefined ? undefined : await deps.states.open(sealed, binding, storage)
    const round = (carried?.round ?? 1) + 1
    const call = {
      ...{ input, carried, caller: identity, env: deps.team.env, signal: ctx.mcpReq.signal },
      responses: ctx.mcpReq.inputResponses ?? {},
      carry: (state: CarriedState) => deps.states.seal({ ...state, round }, binding),
    }
    const target = { kind: 'prompt', name, title } as const
    return runHooked(deps.team, () => hookFacts(target, input, ctx, deps, carried), {
      work: () => renderPrompt(prompt, call),
      contentOf: (result) => ('messages' in result ? (result.messages as readonly unknown[]) : []),
      timeoutSeconds: deps.timeoutSeconds,
    })
  })
}

/** A memoised JSON Schema in the form the SDK takes; the engine does the validating. */
export function asStandardSchema(jsonSchema: JsonSchema): StandardSchemaWithJSON {
  const json = () => ({ ...jsonSchema })
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp-template',
      validate: (value) => ({ value }),
      jsonSchema: { input: json, output: json },
    },
  }
}
