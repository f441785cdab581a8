/** The SDK's event bus for `subscriptions/listen`, with the events of all nodes (fan-out). */

import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { ClusterNode } from './cluster-node.ts'

export interface EventBus extends ServerEventBus {
  /** Resolves when the event is in the common log. Never rejects. */
  publish(event: ServerEvent): Promise<void>
}

/** Delivers events through the log, also on the publishing node: each once, in total order. */
export function createEventBus(node: ClusterNode, log: Logger): EventBus {
  return {
    publish: (event) =>
      node
        .publish(event)
        .catch((error: unknown) => log.warn({ err: error }, 'change not published')),
    subscribe: (listener) => node.onEvent(({ event }) => listener(event)),
  }
}
