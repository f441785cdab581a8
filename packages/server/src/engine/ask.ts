/**
 * Asking the client in the middle of a run. The run ends with what is still to be answered, and
 * starts anew with the answers: nothing of it waits in a node, so the next round may go anywhere.
 */

import {
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
} from '@modelcontextprotocol/server'
import type { Question } from './questions.ts'

export type Questions = Readonly<Record<string, Question<unknown>>>

/** The answer to each question, by the question's name. */
export type Answers<Asked extends Questions> = {
  readonly [Name in keyof Asked]: Asked[Name] extends Question<infer Answer> ? Answer : never
}

/**
 * Puts questions to the client, all of a call at once. Code before it runs again in the next round,
 * so that it must be harmless to repeat; a name stands for one question in the whole run.
 */
export type Ask = <Asked extends Questions>(questions: Asked) => Promise<Answers<Asked>>

/** Ends a run that needs answers. Let it pass: what catches everything would keep it from its way. */
export class AnswersNeeded extends Error {
  readonly requests: InputRequests
  /** Answers of this and earlier rounds, by name, for the next round. */
  readonly answers: Readonly<Record<string, unknown>>

  constructor(requests: InputRequests, answers: Readonly<Record<string, unknown>>) {
    super('The client has to be asked first')
    this.name = 'AnswersNeeded'
    this.requests = requests
    this.answers = answers
  }
}

/** `responses` are all that came from the client so far, in this round and in earlier ones. */
export function createAsk(responses: Readonly<Record<string, unknown>>): Ask {
  const used: Record<string, unknown> = {}
  return async (questions) => {
    const answers: Record<string, unknown> = {}
    const open: InputRequests = {}
    for (const [name, question] of Object.entries(questions)) {
      const answer = Object.hasOwn(responses, name) ? question.read(responses, name) : undefined
      if (answer === undefined) {
        open[name] = question.request
      } else {
        answers[name] = answer
        used[name] = responses[name]
      }
    }
    if (Object.keys(open).length > 0) throw new AnswersNeeded(open, { ...used })
    return answers as Answers<typeof questions>
  }
}

/** What a run that needs answers gives back to the client. */
export function answersNeededResult(
  inputRequests: InputRequests,
  requestState: string,
): InputRequiredResult {
  return inputRequired({ inputRequests, requestState })
}
