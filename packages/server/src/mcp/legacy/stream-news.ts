/** Tells readers on this node that there is more in a stream, whoever wrote it. */

import type { Node } from '../nodes/node.ts'

export interface StreamNews {
  /** Returns the function that stops listening. */
  on(stream: string, listener: () => void): () => void
  /** Something was written here. */
  announce(stream: string): void
}

export function createStreamNews(node: Node): StreamNews {
  const listeners = new Map<string, Set<() => void>>()

  function announce(stream: string): void {
    for (const listener of [...(listeners.get(stream) ?? [])]) listener()
  }

  node.onLetter((letter) => {
    if (letter.kind === 'news') announce(letter.stream)
  })
  return {
    announce,
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
