/** For tests of prompts: renders one as the server does, without a server. */

import { type GetPromptResult, isInputRequiredResult } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { PromptDefinition } from '../engine/define-prompt.ts'
import type { Env } from '../engine/env.ts'
import { promptArguments } from '../engine/prompt-arguments.ts'
import { renderPrompt } from '../engine/render-prompt.ts'
import { type FakeTeam, fakeCaller, fakeTeam } from './fake-team.ts'
import { MOST_ROUNDS, type PersonsAnswer } from './persons-answers.ts'

export interface GetPromptOptions<E extends Env = Env> extends Omit<FakeTeam<E>, 'hooks'> {
  /** What people say when the prompt asks, by the question's name. */
  readonly answers?: Readonly<Record<string, PersonsAnswer>>
  readonly signal?: AbortSignal
}

export interface RenderedPrompt {
  readonly messages: GetPromptResult['messages']
  /** The texts of all messages, one below the other. */
  readonly text: string
  /** What the people at the client were asked. */
  readonly questions: readonly string[]
}

/**
 * Renders a prompt.
 * @throws Error when the arguments do not fit, or when a question has no answer in `options`
 */
export async function getPrompt<Arguments extends z.ZodObject, E extends Env>(
  prompt: PromptDefinition<Arguments, E>,
  given: z.input<Arguments>,
  options: GetPromptOptions<NoInfer<E>> = {},
): Promise<RenderedPrompt> {
  const { answers = {}, signal = new AbortController().signal } = options
  const checked = await promptArguments(prompt.arguments)['~standard'].validate(given)
  if (checked.issues !== undefined) throw new Error(checked.issues[0]?.message)
  const input = checked.value
  const { env } = fakeTeam(prompt, options)
  const { caller } = fakeCaller(options)
  const call = { input, signal, caller, env, carry: (state: object) => JSON.stringify(state) }
  // The prompt is rendered with arguments that its own schema has checked.
  const declared = prompt as unknown as Parameters<typeof renderPrompt>[0]
  const questions: string[] = []
  let result = await renderPrompt(declared, { ...call, responses: {}, carried: undefined })
  for (let round = 0; isInputRequiredResult(result) && round < MOST_ROUNDS; round += 1) {
    const responses: Record<string, PersonsAnswer> = {}
    for (const [name, { params }] of Object.entries(result.inputRequests ?? {})) {
      if (params !== undefined && 'message' in params) questions.push(String(params.message))
      const answer = answers[name]
      if (answer === undefined) throw new Error(`The test has no answer for: ${name}`)
      responses[name] = answer
    }
    const carried = JSON.parse(result.requestState ?? '{}')
    result = await renderPrompt(declared, { ...call, responses, carried })
  }
  if (isInputRequiredResult(result)) throw new Error('The prompt still waits for an answer')
  const { messages } = result
  const text = messages.map(({ content }) => ('text' in content ? content.text : '')).join('\n')
  return { messages, text, questions }
}
