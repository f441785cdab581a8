/** Which body an operation takes, and which answer it gives: JSON, or a reason why not. */

import { STATUS_CODES } from 'node:http'
import { plainText } from './literals.ts'
import { entriesOf, follow, type JsonObject, member, UnusableError } from './references.ts'

export interface Content {
  readonly schema: unknown
  readonly required: boolean
}

/** The client sends and reads JSON (RFC 6839, section 3.1, for the suffix). */
const JSON_TYPE = /^(application\/(json|[a-z0-9!#$&^_.-]+\+json)|\*\/\*|application\/\*)\s*(;|$)/i

/**
 * The JSON body of a request; undefined where there is none.
 * @throws UnusableError for other bodies
 */
export function requestContent(root: JsonObject, requestBody: unknown): Content | undefined {
  if (requestBody === undefined) return undefined
  const body = follow(root, requestBody)
  const content = jsonContent(body, 'its body is')
  return content && { ...content, required: body.required === true }
}

/**
 * The JSON of the first answer of success; undefined for one without content.
 * @throws UnusableError for other answers
 */
export function answerContent(root: JsonObject, responses: unknown): Content | undefined {
  const success = entriesOf(responses)
    .filter(([status]) => /^2(\d\d|XX)$/i.test(status))
    .sort(([one], [other]) => one.localeCompare(other))
  const [fallback] =
    success.length > 0 ? [] : entriesOf(responses).filter(([key]) => key === 'default')
  for (const [, response] of fallback === undefined ? success : [fallback]) {
    const content = jsonContent(follow(root, response), 'its answer is')
    if (content !== undefined) return { ...content, required: true }
  }
  return undefined
}

function jsonContent(holder: JsonObject, what: string) {
  const types = entriesOf(holder.content)
  if (types.length === 0) return undefined
  const rank = ([type]: [string, unknown]) => (/^application\/json/i.test(type) ? 0 : 1)
  const [found] = types
    .filter(([type]) => JSON_TYPE.test(type.trim()))
    .sort((a, b) => rank(a) - rank(b))
  if (found === undefined) {
    throw new UnusableError(`${what} ${plainText(types[0]?.[0], 60)}, not JSON`)
  }
  return { schema: member(follow(holder, found[1]), 'schema') }
}

/** What the document says of refusals, by status; not where it repeats the status. */
export function refusalsOf(root: JsonObject, responses: unknown): [number, string][] {
  return entriesOf(responses).flatMap(([status, response]) => {
    // The engine has its own words for who is not signed in, and for too many requests.
    if (!/^4\d\d$/.test(status) || status === '401' || status === '429') return []
    const text = plainText(member(follow(root, response), 'description'), 200)
    const phrase = STATUS_CODES[status] ?? ''
    const saysMore = text.replace(/\.$/, '').toLowerCase() !== phrase.toLowerCase()
    return text !== '' && saysMore ? [[Number(status), text] as [number, string]] : []
  })
}
