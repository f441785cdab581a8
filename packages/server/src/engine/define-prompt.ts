/** How a prompt is declared. One file in `src/prompts/`, default export. */

import type { PromptMessage } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Ask } from './ask.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'

export interface PromptContext<E extends Env = Env> {
  /** Puts questions to the people at the client first. */
  readonly ask: Ask
  readonly signal: AbortSignal
  readonly caller: Caller
  readonly settings: E['settings']
  readonly services: E['services']
}

export interface PromptDefinition<Arguments extends z.ZodObject, E extends Env = Env> {
  readonly name: string
  readonly title?: string
  readonly description: string
  /** Texts, all of them; wrap one in `completable(…)` to suggest values. */
  readonly arguments: Arguments
  /**
   * Whether a caller sees the prompt and may get it; every caller does if left out. For others it does not
   * exist. Runs for every list and request, so it reads what is in memory. An error hides it.
   */
  visible?(caller: Caller, env: E): boolean
  /** What is said to the model: a text as the user, or whole messages. */
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
