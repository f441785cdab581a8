/** What is kept of `initialize`: as little as a replay needs, within bounds in bytes. */

import type { InitializeRequest } from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { jsonBytes } from '../../store/storage-budget.ts'
import { cutToBytes } from '../../store/text-bytes.ts'
import { CLIENT_TEXT_BYTES } from '../client-facts.ts'

/** Of JSON in UTF-8. Real clients need a few hundred. */
const CAPABILITIES_BYTES = 8192

/**
 * What a replay needs of `initialize`. The rest, such as icons, is not looked at again, and would
 * let anybody fill the store.
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
