/** Masks values in a tool's questions: forms, URLs, prompts to the client's model. */

import type { InputRequests } from '@modelcontextprotocol/server'
import type { Redactor } from '../output/redactor.ts'

/** Keywords whose values come back as the answer, or determine its validation: cannot be masked. */
const READ_BACK = new Set(['const', 'enum', 'required', 'pattern'])

/** Keywords whose numbers are values, not bounds. */
const NUMBERS = new Set(['const', 'enum', 'default', 'examples'])

/** Base64, which contains a masked value only by chance. */
const BINARY = new Set(['data', 'blob'])

/**
 * Masks values in every string of the questions.
 * @throws TypeError if a masked value is a choice, a field name or a question's name, since the
 *   answer would not be recognized
 */
export function scrubQuestions(questions: InputRequests, redactor: Redactor): InputRequests {
  if (!redactor.hides()) return questions

  function refuse(text: string): void {
    if (redactor.scrub(text) !== text) {
      throw new TypeError(
        'A question has a masked value as a choice, a default number or a name: use a text of your own, such as an index',
      )
    }
  }

  function scrub(value: unknown, key: string, readBack: boolean): unknown {
    if (typeof value === 'string' && !BINARY.has(key)) {
      if (readBack) refuse(value)
      return redactor.scrub(value)
    }
    if (typeof value === 'number' && NUMBERS.has(key)) refuse(String(value))
    if (Array.isArray(value)) return value.map((item) => scrub(item, key, readBack))
    if (typeof value !== 'object' || value === null) return value
    const fields = Object.entries(value).map(([name, item]) => {
      refuse(name)
      return [name, scrub(item, name, isReadBack(name, item))]
    })
    return Object.fromEntries(fields)
  }

  return scrub(questions, '', false) as InputRequests
}

/** A form field may itself be named `const`; its value is then a schema. */
function isReadBack(name: string, value: unknown): boolean {
  return READ_BACK.has(name) && (typeof value !== 'object' || Array.isArray(value))
}
