/** Refuses tokens and authorizations to clients and people that an operator has blocked. */

import { errors } from 'oidc-provider'
import { type BlockedCaller, type Blocks, blockedText, blockOf } from '../../session/blocks.ts'
import { forProvider } from './unavailable.ts'

/**
 * The error is `access_denied`: on others, clients discard their tokens or register again, which
 * would outlast the block.
 * @throws AccessDenied, and TemporarilyUnavailable while the list cannot be read
 */
export async function refuseBlocked(
  blocks: Pick<Blocks, 'current'>,
  caller: BlockedCaller,
): Promise<void> {
  const what = blockOf(await forProvider(async () => blocks.current()), caller)
  if (what !== undefined) throw new errors.AccessDenied(blockedText(what))
}
