/** For tests of prompts: renders one as the server does, without starting a server. */

import {
  type GetPromptResult,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { compilePrompt } from '../engine/compile-prompt.ts'
import type { AnyPrompt, PromptDefinition } from '../engine/define-prompt.ts'
import type { Env } from '../engine/env.ts'
import { runPrompt } from '../engine/run-read.ts'
import { telemetry } from './no-telemetry.ts'
import { type PersonOptions, type PersonRunFacts, runAsPerson } from './person-runner.ts'

export type GetPromptOptions<E extends Env = Env> = PersonOptions<E>

export interface RenderedPrompt extends PersonRunFacts {
  readonly messages: GetPromptResult['messages']
  /** The texts of all messages, joined by line breaks. */
  readonly text: string
}

/**
 * Renders a prompt.
 * @throws Error as a client receives it, with its code in `data.code`
 */
export async function getPrompt<Arguments extends z.ZodObject, E extends Env>(
  prompt: PromptDefinition<Arguments, E>,
  given: z.input<Arguments>,
  options: GetPromptOptions<NoInfer<E>> = {},
): Promise<RenderedPrompt> {
  // Inside, the types of an environment are unknown.
  const compiled = compilePrompt(prompt as unknown as AnyPrompt)
  const { result, ...facts } = await runAsPerson(prompt, given, options, {
    run: (call, settings) => runPrompt(compiled, call, settings, telemetry),
    unknown(cause) {
      const message = `Prompt ${prompt.name} not found`
      const error = new ProtocolError(ProtocolErrorCode.InvalidParams, message)
      throw Object.assign(error, { cause })
    },
  })
  const { messages } = result
  const text = messages.map(({ content }) => ('text' in content ? content.text : '')).join('\n')
  return { messages, text, ...facts }
}
