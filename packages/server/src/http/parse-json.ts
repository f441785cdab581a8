/** Parses a JSON body, with limits on depth and number of values. */

import { AppError } from '../errors.ts'
import { describeFault, MAX_JSON_DEPTH, structureFault } from '../json-structure.ts'

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/** @throws AppError `parse_error`; `invalid_request` for too many values or too much depth */
export function parseJson(bytes: Buffer, values: number): unknown {
  const text = decode(bytes)
  const fault = structureFault(text, { depth: MAX_JSON_DEPTH, values })
  if (fault !== undefined)
    throw new AppError('invalid_request', describeFault('body', fault, values))
  try {
    return JSON.parse(text)
  } catch {
    // Omits the cause: its message quotes the body, which would then be logged.
    throw new AppError('parse_error', 'The body is not JSON.')
  }
}

function decode(bytes: Buffer): string {
  try {
    return UTF_8.decode(bytes)
  } catch (error) {
    throw new AppError('parse_error', 'The body is not UTF-8.', { cause: error })
  }
}
