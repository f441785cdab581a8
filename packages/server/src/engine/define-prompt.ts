/** Declares prompts: one file in `src/prompts/`, default export. */

import type { Icon, PromptMessage } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Rate } from '../store/rate-limits.ts'
import type { Complete } from './complete.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { Meta } from './meta.ts'
import type { ToolContext } from './tool-context.ts'

/** The context of a prompt's `render`. */
export type PromptContext<E extends Env = Env> = Omit<ToolContext<never, E>, 'input'>

export interface PromptDefinition<Arguments extends z.ZodObject, E extends Env = Env> {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly icons?: readonly Icon[]
  /** `_meta` in lists; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** Prompt arguments; all are strings. */
  readonly arguments: Arguments
  /** Completions, by argument name. */
  readonly complete?: { readonly [Name in keyof z.input<Arguments>]?: Complete<E> }
  /** With `login`, callers without an upstream sign-in are asked to sign in. */
  readonly requires?: ToolRequirements
  /** Timeout in seconds; default `TOOL_TIMEOUT`. */
  readonly timeoutSeconds?: number
  /** Rate limit per caller, across all nodes. */
  readonly rateLimit?: Rate
  /**
   * Whether a caller may list and get the prompt; all callers if left out. For others it does not
   * exist. Synchronous: runs for every list and request. An error hides the prompt.
   */
  visible?(caller: Caller, env: E): boolean
  /**
   * Returns the messages for the model: a string, sent as the user's, or whole messages; not
   * masked. Throw a `ToolError` with a message for the caller; any other error is hidden.
   */
  render(input: z.output<Arguments>, context: PromptContext<E>): PromptText | Promise<PromptText>
}

export type PromptText = string | readonly PromptMessage[]

/** A prompt with erased argument types. */
export type AnyPrompt<E extends Env = Env> = PromptDefinition<z.ZodObject, E>

/** Declares a prompt; the type of its input is inferred from `arguments`. */
export function definePrompt<Arguments extends z.ZodObject>(
  definition: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return definition
}
