/** How a tool is declared. One file in `src/tools/`, default export. */

import type { ContentBlock, Icon, ToolAnnotations } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Rate } from '../store/rate-limits.ts'
import type { ToolContext } from './context.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { Meta } from './meta.ts'
import type { Answer } from './tool-answer.ts'

export interface ToolRequirements {
  /**
   * Runs only when the caller has signed in upstream; who has not is asked to. `true` means the first
   * upstream; names mean those of `UPSTREAMS`, all of which are needed.
   */
  readonly login?: boolean | string | readonly string[]
  /** Works on the caller's session without needing a sign-in. */
  readonly session?: boolean
  /** OAuth scopes a caller with a token must have. */
  readonly scopes?: readonly string[]
}

/** The upstreams that a tool needs a sign-in at; undefined stands for the first. */
export function loginsOf(requires: ToolRequirements | undefined): readonly (string | undefined)[] {
  const login = requires?.login ?? false
  if (typeof login === 'boolean') return login ? [undefined] : []
  return typeof login === 'string' ? [login] : login
}

interface ToolDeclaration<Input extends z.ZodObject, E extends Env> {
  /** Letters, digits, `_`, `-` and `.`; what the model calls. */
  readonly name: string
  readonly title?: string
  /** For the model: what it does and when to use it. */
  readonly description: string
  readonly input: Input
  readonly requires?: ToolRequirements
  readonly annotations?: ToolAnnotations
  readonly icons?: readonly Icon[]
  /** `_meta` in `tools/list`; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** Longest run, in seconds; `TOOL_TIMEOUT` when not given. */
  readonly timeoutSeconds?: number
  /**
   * How often one caller may call it, on all nodes together, such as `{ calls: 10, perSeconds: 60 }`;
   * besides what callers may send at all (`RATE_LIMIT_CALLER`). `RATE_LIMIT=off` turns it off.
   */
  readonly rateLimit?: Rate
  /**
   * Whether a caller sees the tool and may call it; every caller does if left out. For others it does not
   * exist. Runs for every list and call, so it reads what is in memory. An error hides the tool.
   */
  visible?(caller: Caller, env: E): boolean
}

export interface ToolDefinition<
  Input extends z.ZodObject,
  Output extends z.ZodType,
  E extends Env = Env,
> extends ToolDeclaration<Input, E> {
  /**
   * All that may leave the server; anything else in the answer is dropped. An object as a rule; lists,
   * unions and texts reach clients of the 2025 era as `{ result: … }`.
   */
  readonly output: Output
  /**
   * Does the work. What it returns is the data, or an `answer(…)` with more than that. Throw a
   * `ToolError` to tell the caller something; any other error is hidden.
   */
  run(context: ToolContext<z.output<Input>, E>): Promise<z.input<Output> | Answer<z.input<Output>>>
}

export interface ContentToolDefinition<Input extends z.ZodObject, E extends Env = Env>
  extends ToolDeclaration<Input, E> {
  readonly output?: undefined
  /** Does the work. What it returns leaves the server as it is; metadata of an `answer(…)` is masked. */
  run(context: ToolContext<z.output<Input>, E>): Promise<readonly ContentBlock[] | Answer<never>>
}

/** A tool whose schemas the engine need not know. */
export type AnyTool<E extends Env = Env> =
  | ToolDefinition<z.ZodObject, z.ZodType, E>
  | ContentToolDefinition<z.ZodObject, E>

/** Declares a tool; input and output types follow from the schemas. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodType>(
  definition: ToolDefinition<Input, Output>,
): ToolDefinition<Input, Output> {
  return definition
}

/**
 * Declares a tool that answers with content such as images, audio or embedded resources. Nothing
 * of it is masked, so that it must say nothing that has to be.
 */
export function defineContentTool<Input extends z.ZodObject>(
  definition: ContentToolDefinition<Input>,
): ContentToolDefinition<Input> {
  return definition
}
