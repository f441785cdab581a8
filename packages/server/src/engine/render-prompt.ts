/** Renders a prompt for one request, asking its questions on the way. */

import type { GetPromptResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { AnswersNeeded, answersNeededResult, createAsk } from './ask.ts'
import type { CarriedState } from './call.ts'
import type { AnyPrompt } from './define-prompt.ts'
import type { Env } from './env.ts'
import type { Caller } from './identity.ts'

export interface PromptCall {
  readonly input: Readonly<Record<string, unknown>>
  readonly responses: Readonly<Record<string, unknown>>
  readonly carried: CarriedState | undefined
  carry(state: CarriedState): string
  readonly signal: AbortSignal
  readonly caller: Caller
  readonly env: Env
}

export async function renderPrompt(
  { description, render }: AnyPrompt,
  call: PromptCall,
): Promise<GetPromptResult | InputRequiredResult> {
  const ask = createAsk({ ...call.carried?.answers, ...call.responses })
  try {
    const text = await render(call.input, {
      ask,
      signal: call.signal,
      caller: call.caller,
      ...call.env,
    })
    const messages: GetPromptResult['messages'] =
      typeof text === 'string' ? [{ role: 'user', content: { type: 'text', text } }] : [...text]
    return { description, messages }
  } catch (error) {
    if (!(error instanceof AnswersNeeded)) throw error
    return answersNeededResult(error.requests, call.carry({ answers: error.answers }))
  }
}
