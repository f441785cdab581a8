/** The SDK's source of change events for `subscriptions/listen`, fed from all nodes. */

import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { ClusterNode } from './cluster-node.ts'

export interface EventBus extends ServerEventBus {
  /** Resolves when the event has its place among those of all nodes. Never fails. */
  publish(event: ServerEvent): Promise<void>
}

/** Events reach listeners by way of the log, on the publishing node too: once, in one order. */
export function createEventBus(node: ClusterNode, log: Logger): EventBus {
  return {
    publish: (event) =>
      node
        .publish(event)
        .catch((error: unknown) => log.warn({ err: error }, 'change was not published')),
    subscribe: (listener) => node.onEvent(({ event }) => listener(event)),
  }
}
