/**
 * Recognizes client responses to server requests by their envelope. Their content is validated only
 * after the id has proved to be one that the server issued.
 */

import { AppError } from '../errors.ts'

export interface UnverifiedAnswer {
  readonly id?: unknown
}

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'result', 'error'])

/** Whether a parsed message looks like a response, well-formed or not. */
export function isAnswer(message: unknown): message is object {
  const { method, result, error } = (message ?? {}) as Readonly<Record<string, unknown>>
  return method === undefined && (result !== undefined || error !== undefined)
}

/**
 * Checks the envelope of a response (JSON-RPC 2.0, section 5).
 * @throws AppError `invalid_request`
 */
export function checkEnvelope(answer: object): asserts answer is UnverifiedAnswer {
  const { jsonrpc, id, result, error } = answer as Readonly<Record<string, unknown>>
  // An error may lack an id: the client could not parse the message that caused it.
  const isNamed = typeof id === 'string' || typeof id === 'number'
  const hasId = isNamed || (id === undefined && error !== undefined)
  const isEither = (result === undefined) !== (error === undefined)
  if (jsonrpc !== '2.0' || !hasId || !isEither || hasOtherMembers(answer)) throw notAMessage()
}

/** The error for a body that is not a JSON-RPC message. */
export function notAMessage(): AppError {
  return new AppError('invalid_request', 'The body is not a JSON-RPC message.')
}

function hasOtherMembers(answer: object): boolean {
  for (const name in answer) if (!MEMBERS.has(name)) return true
  return false
}
