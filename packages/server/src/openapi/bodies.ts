/** Selects the request body and the response of an operation, or the reason why it is unusable. */

import { STATUS_CODES } from 'node:http'
import { plainText } from './literals.ts'
import {
  entriesOf,
  follow,
  isObject,
  type JsonObject,
  member,
  UnusableError,
} from './references.ts'

export interface Content {
  readonly schema: unknown
  readonly required: boolean
  /** The encoding with which the upstream client sends or reads it. */
  readonly kind: 'json' | 'form' | 'multipart' | 'text' | 'bytes'
  /** The media type, without parameters. */
  readonly type: string
}

/** RFC 6839, section 3.1, for the suffix. */
const JSON_TYPE = /^(application\/(json|[a-z0-9!#$&^_.-]+\+json)|\*\/\*|application\/\*)$/i
const FORM = /^application\/x-www-form-urlencoded$/i
const MULTIPART = /^multipart\/form-data$/i
const TEXT = /^text\/(plain|csv|markdown|html|calendar|vcard)$/i
const BYTES =
  /^((image|audio|video|font)\/[\w.+-]+|application\/(octet-stream|pdf|zip|gzip|cbor|vnd\.[\w.-]+))$/i

/**
 * The body of a request; undefined if there is none.
 * @throws UnusableError for other bodies
 */
export function requestContent(root: JsonObject, requestBody: unknown): Content | undefined {
  if (requestBody === undefined) return undefined
  const body = follow(root, requestBody)
  const content = contentOf(body, 'its body is', [
    ['json', JSON_TYPE],
    ['multipart', MULTIPART],
    ['form', FORM],
    ['bytes', BYTES],
  ])
  if (content === undefined) return undefined
  const { properties } = follow(root, content.schema ?? {})
  const isForm = content.kind === 'form' || content.kind === 'multipart'
  if (isForm && !isObject(properties)) throw unusable('its body is', content.type)
  return { ...content, required: body.required === true }
}

/**
 * The first success response; undefined for one without content.
 * @throws UnusableError for unsupported media types
 */
export function answerContent(root: JsonObject, responses: unknown): Content | undefined {
  for (const response of successes(root, responses)) {
    const content = contentOf(response, 'its answer is', [
      ['json', JSON_TYPE],
      ['text', TEXT],
      ['bytes', BYTES],
    ])
    if (content !== undefined) return { ...content, required: true }
  }
  return undefined
}

/** The header names of the success response, in lower case. */
export function answerHeaders(root: JsonObject, responses: unknown): string[] {
  const [first] = successes(root, responses)
  return entriesOf(first?.headers).map(([name]) => name.toLowerCase())
}

function successes(root: JsonObject, responses: unknown): JsonObject[] {
  const success = entriesOf(responses)
    .filter(([status]) => /^2(\d\d|XX)$/i.test(status))
    .sort(([one], [other]) => one.localeCompare(other))
  const [fallback] =
    success.length > 0 ? [] : entriesOf(responses).filter(([key]) => key === 'default')
  return (fallback === undefined ? success : [fallback]).map(([, each]) => follow(root, each))
}

/** The first match in the order of `kinds`; prefers `application/json` among JSON types. */
function contentOf(
  holder: JsonObject,
  what: string,
  kinds: readonly (readonly [Content['kind'], RegExp])[],
): Omit<Content, 'required'> | undefined {
  const types = entriesOf(holder.content)
  if (types.length === 0) return undefined
  const found = types.flatMap(([name, media]) => {
    const [type = ''] = name.trim().split(/\s*;/)
    const rank = kinds.findIndex(([, pattern]) => pattern.test(type))
    const isPlain = /^application\/json$/i.test(type)
    return rank === -1 ? [] : [{ type, media, rank: isPlain ? -1 : rank }]
  })
  const [best] = found.sort((one, other) => one.rank - other.rank)
  if (best === undefined) throw unusable(what, types[0]?.[0])
  const kind = kinds[Math.max(0, best.rank)]?.[0] ?? 'json'
  return { kind, type: best.type, schema: member(follow(holder, best.media), 'schema') }
}

function unusable(what: string, type: unknown): UnusableError {
  return new UnusableError(`${what} ${plainText(type, 60)}, not JSON`)
}

/** The document's descriptions of 4xx responses, by status; omits those that repeat the status. */
export function refusalsOf(root: JsonObject, responses: unknown): [number, string][] {
  return entriesOf(responses).flatMap(([status, response]) => {
    // The engine has its own messages for 401 and 429.
    if (!/^4\d\d$/.test(status) || status === '401' || status === '429') return []
    const text = plainText(member(follow(root, response), 'description'), 200)
    const phrase = STATUS_CODES[status] ?? ''
    const saysMore = text.replace(/\.$/, '').toLowerCase() !== phrase.toLowerCase()
    return text !== '' && saysMore ? [[Number(status), text] as [number, string]] : []
  })
}
