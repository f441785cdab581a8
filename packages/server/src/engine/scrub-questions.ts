/** Hides masked values in what a tool asks: forms, addresses, prompts to the client's model. */

import type { InputRequests } from '@modelcontextprotocol/server'
import type { Redactor } from '../output/redactor.ts'

/** What comes back as the answer, or decides how it is read: it cannot be masked and still fit. */
const READ_BACK = new Set(['const', 'enum', 'required', 'pattern'])

/** Where a number is a value, not a bound. */
const NUMBERS = new Set(['const', 'enum', 'default', 'examples'])

/** Base64, of which a masked value is no part but by chance. */
const BINARY = new Set(['data', 'blob'])

/**
 * The questions as they may leave: masked values are masked in every text.
 * @throws TypeError where one is the value of a choice, the name of a field or that of a question,
 *   since the answer would not be recognised
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

/** A field of a form may be called `const` as well; then it holds its description. */
function isReadBack(name: string, value: unknown): boolean {
  return READ_BACK.has(name) && (typeof value !== 'object' || Array.isArray(value))
}
