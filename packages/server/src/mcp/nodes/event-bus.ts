/** The SDK's event bus for `subscriptions/listen`, with the events of all nodes (fan-out). */

import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { ClusterNode } from './cluster-node.ts'
import { retryWrite } from './retry-write.ts'

export interface EventBus extends ServerEventBus {
  /** Resolves when the event is in the common log, or will be retried. Never rejects. */
  publish(event: ServerEvent): Promise<void>
}

/** Longer than a failover with the default time-outs of Redis (30 s) takes. */
const RETRY_SECONDS = 120
/** Maximum number of events held in memory until the store recovers, at most 8 KiB each. */
const MOST_WAITING = 500

/**
 * Delivers events through the log, also on the publishing node, in total order: each once, or twice if
 * a write that got no reply was done. Subscribers read what has changed, so a duplicate is harmless.
 */
export function createEventBus(node: ClusterNode, log: Logger): EventBus {
  let waiting = 0
  async function retry(event: ServerEvent): Promise<void> {
    waiting += 1
    await retryWrite(() => node.publish(event), RETRY_SECONDS)
    waiting -= 1
  }
  return {
    publish: (event) =>
      node.publish(event).catch((error: unknown) => {
        const isRetried = waiting < MOST_WAITING && !(error instanceof RangeError)
        const message = isRetried ? 'change not published; retrying' : 'change not published'
        log.warn({ err: error }, message)
        if (isRetried) void retry(event)
      }),
    subscribe: (listener) => node.onEvent(({ event }) => listener(event)),
  }
}
