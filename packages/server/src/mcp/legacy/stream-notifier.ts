/** Notifies readers on this node that a stream has new entries, from any node. */

import type { ClusterNode } from '../nodes/cluster-node.ts'

export interface StreamNotifier {
  /** Subscribes to a stream. Returns the function that unsubscribes. */
  on(stream: string, listener: () => void): () => void
  /** Notifies the readers after a write on this node. */
  notify(stream: string): void
}

export function createStreamNotifier(node: ClusterNode): StreamNotifier {
  const listeners = new Map<string, Set<() => void>>()

  function notify(stream: string): void {
    for (const listener of [...(listeners.get(stream) ?? [])]) listener()
  }

  node.onMessage((message) => {
    if (message.kind === 'news') notify(message.stream)
  })
  return {
    notify,
    on(stream, listener) {
      const known = listeners.get(stream) ?? new Set()
      listeners.set(stream, known.add(listener))
      return () => {
        known.delete(listener)
        if (known.size === 0) listeners.delete(stream)
      }
    },
  }
}
