/**
 * Answers of clients to requests of the server, recognized by their outer members alone: what they
 * carry is validated once their id has proved to be one that the server issued.
 */

import { AppError } from '../errors.ts'

export interface UnverifiedAnswer {
  readonly id?: unknown
}

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'result', 'error'])

/** Whether a parsed message is meant as an answer, well-formed or not. */
export function isAnswer(message: unknown): message is object {
  const { method, result, error } = (message ?? {}) as Readonly<Record<string, unknown>>
  return method === undefined && (result !== undefined || error !== undefined)
}

/**
 * Checks the outer members of an answer (JSON-RPC 2.0, section 5).
 * @throws AppError `invalid_request`
 */
export function checkEnvelope(answer: object): asserts answer is UnverifiedAnswer {
  const { jsonrpc, id, result, error } = answer as Readonly<Record<string, unknown>>
  // An error may name no request: its cause was a message that the client could not read.
  const isNamed = typeof id === 'string' || typeof id === 'number'
  const hasId = isNamed || (id === undefined && error !== undefined)
  const isEither = (result === undefined) !== (error === undefined)
  if (jsonrpc !== '2.0' || !hasId || !isEither || hasOtherMembers(answer)) throw notAMessage()
}

/** What is no JSON-RPC message. */
export function notAMessage(): AppError {
  return new AppError('invalid_request', 'The body is not a JSON-RPC message.')
}

function hasOtherMembers(answer: object): boolean {
  for (const name in answer) if (!MEMBERS.has(name)) return true
  return false
}
