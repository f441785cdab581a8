/** How a prompt is declared. One file in `src/prompts/`, default export. */

import type { Icon, PromptMessage } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Rate } from '../store/rate-limits.ts'
import type { Complete } from './complete.ts'
import type { ToolContext } from './context.ts'
import type { ToolRequirements } from './define-tool.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'
import type { Meta } from './meta.ts'

/** What a prompt sees while it is rendered. */
export type PromptContext<E extends Env = Env> = Omit<ToolContext<never, E>, 'input'>

export interface PromptDefinition<Arguments extends z.ZodObject, E extends Env = Env> {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly icons?: readonly Icon[]
  /** `_meta` in lists; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** Texts, all of them. */
  readonly arguments: Arguments
  /** Suggestions for an argument, by its name. */
  readonly complete?: { readonly [Name in keyof z.input<Arguments>]?: Complete<E> }
  /** With `login`, who has not signed in upstream is asked to. */
  readonly requires?: ToolRequirements
  /** Longest run, in seconds; `TOOL_TIMEOUT` when not given. */
  readonly timeoutSeconds?: number
  /** How often one caller may get it, on all nodes together. */
  readonly rateLimit?: Rate
  /**
   * Whether a caller sees the prompt and may get it; every caller does if left out. For others it does not
   * exist. Runs for every list and request, so it reads what is in memory. An error hides it.
   */
  visible?(caller: Caller, env: E): boolean
  /**
   * What is said to the model: a text as the user, or whole messages. It leaves as it is. Throw a
   * `ToolError` to tell the caller something; any other error is hidden.
   */
  render(input: z.output<Arguments>, context: PromptContext<E>): PromptText | Promise<PromptText>
}

export type PromptText = string | readonly PromptMessage[]

/** A prompt whose arguments the engine need not know. */
export type AnyPrompt<E extends Env = Env> = PromptDefinition<z.ZodObject, E>

/** Declares a prompt; the type of its input follows from `arguments`. */
export function definePrompt<Arguments extends z.ZodObject>(
  definition: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return definition
}
