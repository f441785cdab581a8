/**
 * Input requests to the client during a run. The run ends with the open questions and restarts with
 * the answers; no node keeps state in between, so any node can serve the next round.
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
 * Asks the client several questions at once. Code before `ask` runs again in the next round and
 * must be idempotent; a name identifies one question in the whole run.
 */
export type Ask = <Asked extends Questions>(questions: Asked) => Promise<Answers<Asked>>

/** Ends a run that needs answers. Must propagate: a `catch` for all errors has to rethrow it. */
export class AnswersNeeded extends Error {
  readonly requests: InputRequests
  /** Answers of this and earlier rounds, by name, for the next round. */
  readonly answers: Readonly<Record<string, unknown>>

  constructor(requests: InputRequests, answers: Readonly<Record<string, unknown>>) {
    super('The client must be asked first')
    this.name = 'AnswersNeeded'
    this.requests = requests
    this.answers = answers
  }
}

/** `responses` are the client's responses of this round and of earlier ones. */
export function createAsk(responses: Readonly<Record<string, unknown>>): Ask {
  const used: Record<string, unknown> = {}
  const asked = new Map<string, string>()
  return async (questions) => {
    checkQuestions(questions, asked)
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

/**
 * The log names the mistake in the tool; the client would only get an internal error.
 * @throws TypeError
 */
function checkQuestions(questions: unknown, asked: Map<string, string>): void {
  if (!isRecord(questions) || isQuestion(questions)) {
    throw new TypeError('ask: the questions must be an object, each under a name of its own')
  }
  for (const [name, question] of Object.entries(questions)) {
    // Would set the prototype of the questions instead of adding one.
    if (name === '__proto__') throw new TypeError('ask: a question cannot be named __proto__')
    if (!isQuestion(question)) {
      throw new TypeError(`ask: "${name}" must be a question of form, openUrl, sample or roots`)
    }
    // The answer of the first would be taken for one of the second, or asked for again and again.
    const request = JSON.stringify(question.request)
    if ((asked.get(name) ?? request) !== request) {
      throw new TypeError(`ask: "${name}" names two questions; a name is for one in the whole run`)
    }
    asked.set(name, request)
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isQuestion(value: unknown): value is Question<unknown> {
  const { request, read } = (value ?? {}) as Partial<Question<unknown>>
  return typeof request === 'object' && request !== null && typeof read === 'function'
}

/** The result of a run that needs answers. */
export function answersNeededResult(
  inputRequests: InputRequests,
  requestState: string,
): InputRequiredResult {
  return inputRequired({ inputRequests, requestState })
}
