/** Counts the connections that callers opened at this node, for as long as they live. */

import type { Limits, Release } from '../limits.ts'
import type { Node } from '../nodes/node.ts'

export interface OpenedConnections {
  /**
   * Opens a connection in the name of a caller.
   * @throws AppError `too_many_requests` when it has as many as it may, before anything is kept
   */
  open<T extends { readonly id: string }>(caller: string, create: () => Promise<T>): Promise<T>
  /** A connection that is used lives on. */
  used(id: string): void
}

export interface OpenedConnectionDeps {
  readonly node: Node
  readonly limits: Limits
}

/** What a timer can wait for at most. */
const LONGEST_MS = 2 ** 31 - 1

/** Those that are used at other nodes alone are counted for `ttlSeconds`: nobody tells this one. */
export function createOpenedConnections(
  { node, limits }: OpenedConnectionDeps,
  { ttlSeconds }: { readonly ttlSeconds: number },
): OpenedConnections {
  const opened = new Map<string, { readonly timer: NodeJS.Timeout; readonly release: Release }>()
  const ttlMs = Math.min(ttlSeconds * 1000, LONGEST_MS)

  function forget(id: string): void {
    const found = opened.get(id)
    opened.delete(id)
    clearTimeout(found?.timer)
    found?.release()
  }

  node.onControl((control) => {
    if (control.kind === 'connection_ended') forget(control.connectionId)
  })

  return {
    async open(caller, create) {
      const release = limits.connection(caller)
      try {
        const connection = await create()
        const timer = setTimeout(() => forget(connection.id), ttlMs).unref()
        opened.set(connection.id, { timer, release })
        return connection
      } catch (error) {
        release()
        throw error
      }
    },
    used: (id) => void opened.get(id)?.timer.refresh(),
  }
}
