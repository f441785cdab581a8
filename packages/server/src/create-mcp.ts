/** For `src/mcp.ts` of a project: `define…` functions typed by its settings and services. */

import type { z } from 'zod'
import { defineServer, type ServerDefinition } from './define-server.ts'
import type { HookDefinition } from './engine/define-hook.ts'
import type { PromptDefinition } from './engine/define-prompt.ts'
import type { ResourceDefinition } from './engine/define-resource.ts'
import type { RouteDefinition } from './engine/define-route.ts'
import { type EnvDefinition, envFault, markDeclared } from './engine/define-services.ts'
import type { ContentToolDefinition, ToolDefinition } from './engine/define-tool.ts'
import type { Env } from './engine/env.ts'

/** The package's `define…` functions, typed by an environment. */
export interface Mcp<E extends Env> {
  readonly defineServer: (definition: ServerDefinition<E>) => ServerDefinition<E>
  readonly defineTool: <Input extends z.ZodObject, Output extends z.ZodType>(
    definition: ToolDefinition<Input, Output, E>,
  ) => ToolDefinition<Input, Output, E>
  readonly defineContentTool: <Input extends z.ZodObject>(
    definition: ContentToolDefinition<Input, E>,
  ) => ContentToolDefinition<Input, E>
  readonly defineResource: <Output extends z.ZodObject | undefined = undefined>(
    definition: ResourceDefinition<Output, E>,
  ) => ResourceDefinition<Output, E>
  readonly definePrompt: <Arguments extends z.ZodObject>(
    definition: PromptDefinition<Arguments, E>,
  ) => PromptDefinition<Arguments, E>
  readonly defineHook: (definition: HookDefinition<E>) => HookDefinition<E>
  readonly defineRoute: (definition: RouteDefinition<E>) => RouteDefinition<E>
}

/**
 * Creates the functions that declare a project's server, tools, resources, prompts, hooks and
 * routes. Export them from `src/mcp.ts`; that file must not import any of these declarations.
 * @throws TypeError for an invalid definition
 */
export function createMcp<
  Settings extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Services extends object = Record<never, never>,
  Upstream extends string = never,
>(
  definition: EnvDefinition<Settings, Services, Upstream> = {},
): Mcp<{
  readonly settings: z.output<Settings>
  readonly services: Services
  readonly upstreams: Upstream
}> {
  const fault = envFault(definition)
  if (fault !== undefined) throw new TypeError(`createMcp: ${fault}`)
  // The implementation does not know the environment's types.
  const env = definition as unknown as Parameters<typeof markDeclared>[1]
  const declare = <T extends object>(declaration: T): T => markDeclared(declaration, env)
  return {
    defineServer: (server) => declare(defineServer(server as ServerDefinition)) as typeof server,
    defineTool: declare,
    defineContentTool: declare,
    defineResource: declare,
    definePrompt: declare,
    defineHook: declare,
    defineRoute: declare,
  }
}
