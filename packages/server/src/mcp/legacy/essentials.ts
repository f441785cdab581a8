/** Reduces `initialize` to the fields that a replay needs, within byte limits. */

import type { InitializeRequest } from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { jsonBytes } from '../../store/storage-budget.ts'
import { cutToBytes } from '../../store/text-bytes.ts'
import { CLIENT_TEXT_BYTES } from '../client-facts.ts'

/** Limit of the JSON in UTF-8. Real clients need a few hundred bytes. */
const CAPABILITIES_BYTES = 8192

/**
 * The fields of `initialize` that a replay needs. All others, such as icons, are never read again
 * and would let any client fill the store.
 * @throws AppError `payload_too_large`
 */
export function essentials(
  { capabilities, clientInfo }: InitializeRequest['params'],
  protocolVersion: string,
): InitializeRequest['params'] {
  if (jsonBytes(capabilities) > CAPABILITIES_BYTES) {
    const message = `The capabilities exceed the limit of ${CAPABILITIES_BYTES} bytes.`
    throw new AppError('payload_too_large', message)
  }
  const name = cutToBytes(clientInfo.name, CLIENT_TEXT_BYTES)
  const version = cutToBytes(clientInfo.version, CLIENT_TEXT_BYTES)
  return { protocolVersion, capabilities, clientInfo: { name, version } }
}
