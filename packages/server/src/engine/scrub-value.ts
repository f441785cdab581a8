/**
 * Masks values in a tool's other output, at any depth: log lines, errors, messages to the client,
 * and questions.
 */

import type { InputRequests, ProtocolError } from '@modelcontextprotocol/server'
import type { Logger } from '../logger.ts'
import type { Redactor } from '../output/mask.ts'
import { cutText } from '../well-formed.ts'
import {
  requireLevel,
  requireObject,
  requireText,
  requireUri,
  toJsonValue,
} from './context-arguments.ts'
import type { Announce, ToolClient, ToolLog } from './tool-context.ts'
import { errorMessage } from './validation-text.ts'

/** Maximum nesting of a log line's fields. */
const DEEPEST_FIELDS = 6
/** Maximum length of an error's message, and of its stack, in characters. */
const LONGEST_TEXT = 10_000

/**
 * Masks known values in names and values. Truncates below `deepest` levels.
 */
export function scrubValue(
  value: unknown,
  redactor: Redactor,
  deepest = DEEPEST_FIELDS,
  depth = 0,
): unknown {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    const scrubbed = redactor.scrub(String(value))
    return scrubbed === String(value) ? value : scrubbed
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === deepest) return '[too deep]'
  const inside = (item: unknown) => scrubValue(item, redactor, deepest, depth + 1)
  if (value instanceof Error) return scrubError(value, redactor, inside)
  if (Array.isArray(value)) return value.map(inside)
  if ('toJSON' in value && typeof value.toJSON === 'function') return inside(value.toJSON())
  const fields = Object.entries(value).map(([name, item]) => [redactor.scrub(name), inside(item)])
  return Object.fromEntries(fields) as unknown
}

function scrubError(error: Error, redactor: Redactor, inside: (item: unknown) => unknown): Error {
  const { scrub } = redactor
  const copy = new Error(cutText(errorMessage(error, scrub), LONGEST_TEXT))
  copy.name = scrub(String(error.name))
  copy.stack = cutText(scrub(error.stack ?? ''), LONGEST_TEXT)
  if (error.cause !== undefined) copy.cause = inside(error.cause)
  return 'code' in error ? Object.assign(copy, { code: inside(error.code) }) : copy
}

/** Maximum nesting of data for the client; JSON responses are rarely deeper. */
const DEEPEST_SENT = 64

/** Masks values in the message and the data of a project's own protocol error. */
export function scrubProtocolError(error: ProtocolError, redactor: Redactor): ProtocolError {
  if (!redactor.hides()) return error
  const copy: ProtocolError = Object.create(Object.getPrototypeOf(error), {
    ...Object.getOwnPropertyDescriptors(error),
  })
  const message = redactor.scrub(error.message)
  return Object.assign(copy, { message, data: scrubValue(error.data, redactor, DEEPEST_SENT) })
}

/**
 * Masks a tool's log messages to its client. Throws before it returns a promise: an invalid argument
 * ends the run, also of a tool that does not await.
 */
export function scrubbedClient(
  client: ToolClient,
  { redactor, log }: { readonly redactor: Redactor; readonly log: Logger },
): ToolClient {
  return {
    can: client.can,
    closeStream: () => client.closeStream(),
    log(level, data) {
      requireLevel(level, 'client.log: the level')
      const sent = toJsonValue(data, 'client.log: the data')
      redactor.learn(sent)
      return client
        .log(level, redactor.hides() ? scrubValue(sent, redactor, DEEPEST_SENT) : sent)
        .catch((error: unknown) => log.debug({ err: error }, 'log message not sent'))
    },
  }
}

/** Masks the URIs in a tool's resource update notifications. */
export function scrubbedAnnounce(announce: Announce, redactor: Redactor): Announce {
  return {
    ...announce,
    resourceUpdated(uri) {
      requireUri(uri, 'announce.resourceUpdated: the URI')
      announce.resourceUpdated(redactor.scrub(uri))
    },
  }
}

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

/** Wraps the call's logger; messages and fields pass through the call's redactor. */
export function createToolLog(logger: Logger, redactor: Redactor): ToolLog {
  const at =
    (level: keyof ToolLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      requireText(message, `log.${level}: the message`)
      requireObject(fields, `log.${level}: the fields`)
      if (!logger.isLevelEnabled(level)) return
      redactor.learn(fields)
      logger[level]({ fields: scrubValue(fields, redactor) }, redactor.scrub(message))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
