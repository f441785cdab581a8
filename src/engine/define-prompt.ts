/** How a prompt is declared. One file in `src/prompts/`, default export. */

import type { z } from 'zod'

export interface PromptDefinition<Arguments extends z.ZodObject> {
  readonly name: string
  readonly title?: string
  readonly description: string
  /** Texts, all of them; wrap one in `completable(…)` to suggest values. */
  readonly arguments: Arguments
  /** What is said to the model, as the user. */
  render(input: z.output<Arguments>): string | Promise<string>
}

/** A prompt whose arguments the engine need not know. */
export type AnyPrompt = PromptDefinition<z.ZodObject>

/** Declares a prompt; the type of its input follows from `arguments`. */
export function definePrompt<Arguments extends z.ZodObject>(
  definition: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return definition
}
