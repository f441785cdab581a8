/** The values that tools store in a session, by name: their checks, and the order of writes. */

import { ToolError } from '../engine/tool-error.ts'
import { jsonBytes } from '../store/storage-budget.ts'

/** Excludes path separators and names that allow prototype pollution. */
const DATA_NAME = /^(?!(__proto__|constructor|prototype)$)[A-Za-z0-9_-]{1,64}$/

/** @throws ToolError `invalid_name` */
export function checkDataName(name: string): void {
  if (DATA_NAME.test(name)) return
  throw new ToolError('Session values have plain names.', { code: 'invalid_name' })
}

/**
 * Limits the values together, in bytes of JSON. Above a limit that was lowered, they can shrink.
 * @throws ToolError `session_data_too_large`
 */
export function checkDataSize(
  before: object = {},
  after: object,
  limitBytes = Number.POSITIVE_INFINITY,
): void {
  const bytes = jsonBytes(after)
  if (bytes <= limitBytes || bytes < jsonBytes(before)) return
  const message = `The values of the session exceed the limit of ${limitBytes} bytes.`
  throw new ToolError(message, { code: 'session_data_too_large' })
}

/** Runs writes one after the other, whether those before succeed or fail. */
export class WriteQueue {
  #last: Promise<void> = Promise.resolve()

  run(write: () => Promise<void>): Promise<void> {
    const written = this.#last.then(write)
    this.#last = written.catch(() => undefined)
    return written
  }
}
