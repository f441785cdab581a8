/** Renders a prompt for one request, asking its questions on the way. */

import type { GetPromptResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { AnswersNeeded, answersNeededResult, createAsk } from './ask.ts'
import type { CarriedState } from './call.ts'
import type { AnyPrompt } from './define-prompt.ts'

export interface PromptCall {
  readonly input: Readonly<Record<string, unknown>>
  readonly responses: Readonly<Record<string, unknown>>
  readonly carried: CarriedState | undefined
  carry(state: CarriedState): string
  readonly signal: AbortSignal
}

export async function renderPrompt(
  { description, render }: AnyPrompt,
  call: PromptCall,
): Promise<GetPromptResult | InputRequiredResult> {
  const ask = createAsk({ ...call.carried?.answers, ...call.responses })
  try {
    const text = await render(call.input, { ask, signal: call.signal })
    const messages: GetPromptResult['messages'] =
      typeof text === 'string' ? [{ role: 'user', content: { type: 'text', text } }] : [...text]
    return { description, messages }
  } catch (error) {
    if (!(error instanceof AnswersNeeded)) throw error
    return answersNeededResult(error.requests, call.carry({ answers: error.answers }))
  }
}
