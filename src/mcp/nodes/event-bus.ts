/** The SDK's source of change events for `subscriptions/listen`, fed from all nodes. */

import type { ServerEventBus } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { Node } from './node.ts'

/** Events reach listeners by way of the log, on the publishing node too: once, in one order. */
export function createEventBus(node: Node, log: Logger): ServerEventBus {
  return {
    publish(event) {
      node
        .publish(event)
        .catch((error: unknown) => log.warn({ err: error }, 'change was not published'))
    },
    subscribe: (listener) => node.onEvent(({ event }) => listener(event)),
  }
}
