/** Declares tools: one file in `src/tools/`, default export. */

import type { ContentBlock, Icon, ToolAnnotations } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Rate } from '../store/rate-limits.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { Meta } from './meta.ts'
import type { ToolContext } from './tool-context.ts'
import type { Answer } from './tool-result.ts'

export interface ToolRequirements {
  /**
   * Requires an upstream sign-in; other callers are asked to sign in. `true` means the first
   * upstream; names refer to `UPSTREAMS`, all of which are required.
   */
  readonly login?: boolean | string | readonly string[]
  /** Uses the caller's session without requiring a sign-in. */
  readonly session?: boolean
  /** Required OAuth scopes of callers with a token. */
  readonly scopes?: readonly string[]
}

/** The upstreams that a tool requires a sign-in at; undefined stands for the first. */
export function loginsOf(requires: ToolRequirements | undefined): readonly (string | undefined)[] {
  const login = requires?.login ?? false
  if (typeof login === 'boolean') return login ? [undefined] : []
  return typeof login === 'string' ? [login] : login
}

interface ToolDeclaration<Input extends z.ZodObject, E extends Env> {
  /** Letters, digits, `_`, `-` and `.`. */
  readonly name: string
  readonly title?: string
  /** For the model: the tool's purpose, and when to use it. */
  readonly description: string
  readonly input: Input
  readonly requires?: ToolRequirements
  readonly annotations?: ToolAnnotations
  readonly icons?: readonly Icon[]
  /** `_meta` in `tools/list`; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** Timeout in seconds; default `TOOL_TIMEOUT`. */
  readonly timeoutSeconds?: number
  /**
   * Rate limit per caller, across all nodes, such as `{ calls: 10, perSeconds: 60 }`, in addition
   * to `RATE_LIMIT_CALLER`. `RATE_LIMIT=off` disables it.
   */
  readonly rateLimit?: Rate
  /**
   * Whether a caller may list and call the tool; all callers if left out. For others it does not
   * exist. Synchronous: runs for every list and call. An error hides the tool.
   */
  visible?(caller: Caller, env: E): boolean
}

export interface ToolDefinition<
  Input extends z.ZodObject,
  Output extends z.ZodType,
  E extends Env = Env,
> extends ToolDeclaration<Input, E> {
  /**
   * The data that may leave the server; undeclared fields are dropped. Usually an object; lists,
   * unions and strings are sent to 2025-era clients as `{ result: … }`.
   */
  readonly output: Output
  /**
   * Runs the tool. Returns the data, or an `answer(…)` with content blocks and metadata. Throw a
   * `ToolError` with a message for the caller; any other error is hidden.
   */
  run(
    context: ToolContext<z.output<Input>, E>,
  ): z.input<Output> | Answer<z.input<Output>> | Promise<z.input<Output> | Answer<z.input<Output>>>
}

export interface ContentToolDefinition<Input extends z.ZodObject, E extends Env = Env>
  extends ToolDeclaration<Input, E> {
  readonly output?: undefined
  /** Runs the tool. Its content is returned unchanged; metadata of an `answer(…)` is masked. */
  run(
    context: ToolContext<z.output<Input>, E>,
  ): readonly ContentBlock[] | Answer<never> | Promise<readonly ContentBlock[] | Answer<never>>
}

/** A tool with erased schema types. */
export type AnyTool<E extends Env = Env> =
  | ToolDefinition<z.ZodObject, z.ZodType, E>
  | ContentToolDefinition<z.ZodObject, E>

/** Declares a tool; input and output types are inferred from the schemas. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodType>(
  definition: ToolDefinition<Input, Output>,
): ToolDefinition<Input, Output> {
  return definition
}

/**
 * Declares a tool that returns content such as images, audio or embedded resources. The content is
 * not masked, so it must not contain sensitive data.
 */
export function defineContentTool<Input extends z.ZodObject>(
  definition: ContentToolDefinition<Input>,
): ContentToolDefinition<Input> {
  return definition
}
