/** The size limit of results: a node holds a result several times, and may store it for a resume. */

import type { CallKind } from './call.ts'
import { ToolError } from './tool-error.ts'

/**
 * Checks the content of a result: blocks or contents, and values besides them.
 * @throws ToolError `result_too_large`
 */
export function checkResultSize(
  kind: CallKind,
  parts: readonly object[],
  limitBytes = Number.POSITIVE_INFINITY,
): void {
  let bytes = 0
  for (const part of parts) bytes += bytesOf(part)
  if (bytes <= limitBytes) return
  throw new ToolError(
    `The result of ${bytes} bytes exceeds the limit of ${limitBytes} bytes. Request less, such as fewer items or a smaller page.`,
    { code: 'result_too_large', cause: new RangeError(`RESULT_LIMIT_BYTES, by the ${kind}`) },
  )
}

/** Bytes in UTF-8: of the text of a text block, of the JSON of all others. */
function bytesOf(part: object): number {
  const { type, text } = part as { readonly type?: unknown; readonly text?: unknown }
  const isText = type === 'text' && typeof text === 'string'
  return Buffer.byteLength(isText ? text : JSON.stringify(part))
}
