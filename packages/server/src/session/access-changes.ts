/** Applies the operator's kill switch at once on this node, and writes it to the audit log. */

import type { Logger } from '../logger.ts'
import type { AccessChange, ClusterNode } from '../mcp/nodes/cluster-node.ts'
import type { SessionEnds } from '../mcp/nodes/session-ends.ts'
import type { Store } from '../store/port.ts'
import { type Blocks, blockOf } from './blocks.ts'

export interface AccessChangesDeps {
  readonly node: Pick<ClusterNode, 'onControl'>
  readonly store: Pick<Store, 'create'>
  readonly blocks: Blocks
  readonly sessionEnds: Pick<SessionEnds, 'endWhere'>
  readonly log: Pick<Logger, 'audit' | 'warn'>
}

/** Longer than nodes take to receive a broadcast. */
const AUDITED_TTL_SECONDS = 3600

const WORDS = { block: 'access blocked', unblock: 'access unblocked', end: 'access ended' } as const

/**
 * Follows the broadcasts. Calls do not depend on them, since every node reads the list of blocks
 * again within a second; open streams do.
 */
export function followAccessChanges(deps: AccessChangesDeps): void {
  const { node, store, blocks, sessionEnds, log } = deps

  async function apply(id: string, { action, ...change }: AccessChange): Promise<void> {
    const list = await blocks.refresh()
    sessionEnds.endWhere(
      ({ clientId = '', owner, ...named }) =>
        blockOf(list, { clientId, session: owner === undefined ? {} : { owner }, ...named }) !==
        undefined,
    )
    // Deduplicates over nodes: the first one writes the line.
    if (await store.create(`{access}:audited:${id}`, {}, AUDITED_TTL_SECONDS)) {
      log.audit(change, WORDS[action])
    }
  }

  node.onControl((control) => {
    if (control.kind !== 'access_changed') return
    apply(control.id, control.change).catch((error: unknown) =>
      log.warn({ err: error }, 'access change not applied'),
    )
  })
}
