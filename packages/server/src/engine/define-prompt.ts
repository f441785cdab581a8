/** How a prompt is declared. One file in `src/prompts/`, default export. */

import type { Icon, PromptMessage } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Ask } from './ask.ts'
import type { Meta } from './meta.ts'

export interface PromptContext {
  /** Puts questions to the people at the client first. */
  readonly ask: Ask
  readonly signal: AbortSignal
}

export interface PromptDefinition<Arguments extends z.ZodObject> {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly icons?: readonly Icon[]
  /** `_meta` in lists; keys have a prefix, such as `example.com/team`. */
  readonly meta?: Meta
  /** Texts, all of them; wrap one in `completable(…)` to suggest values. */
  readonly arguments: Arguments
  /** What is said to the model: a text as the user, or whole messages. */
  render(input: z.output<Arguments>, context: PromptContext): PromptText | Promise<PromptText>
}

export type PromptText = string | readonly PromptMessage[]

/** A prompt whose arguments the engine need not know. */
export type AnyPrompt = PromptDefinition<z.ZodObject>

/** Declares a prompt; the type of its input follows from `arguments`. */
export function definePrompt<Arguments extends z.ZodObject>(
  definition: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return definition
}
