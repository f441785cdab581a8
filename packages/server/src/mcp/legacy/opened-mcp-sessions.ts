/** Counts the connections that callers opened at this node, for as long as they live. */

import type { Limits, Release } from '../limits.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'

export interface OpenedMcpSession {
  readonly id: string
  /** False for one that anybody opened, and nobody has used yet. */
  readonly needsToken?: boolean
}

export interface OpenedMcpSessions {
  /**
   * Opens a connection in the name of a caller.
   * @throws AppError `too_many_requests` when it has as many as it may, before anything is kept
   */
  open<T extends OpenedMcpSession>(caller: string, create: () => Promise<T>): Promise<T>
  /** A connection that is used lives on. */
  used(id: string): void
}

export interface OpenedMcpSessionDeps {
  readonly node: ClusterNode
  readonly limits: Limits
}

export interface OpenedMcpSessionTimes {
  readonly ttlSeconds: number
  /** Of those that nobody has used yet; as long as the others if left out. */
  readonly unusedTtlSeconds?: number
}

/** What a timer can wait for at most. */
const LONGEST_MS = 2 ** 31 - 1

interface Counted {
  readonly timer: NodeJS.Timeout
  readonly release: Release
  /** Whether the timer is that of a used one. */
  readonly isUsed?: true
}

/** Those that are used at other nodes alone are counted for `ttlSeconds`: nobody tells this one. */
export function createOpenedMcpSessions(
  { node, limits }: OpenedMcpSessionDeps,
  { ttlSeconds, unusedTtlSeconds = ttlSeconds }: OpenedMcpSessionTimes,
): OpenedMcpSessions {
  const opened = new Map<string, Counted>()

  const forgetAfter = (id: string, seconds: number) =>
    setTimeout(() => forget(id), Math.min(seconds * 1000, LONGEST_MS)).unref()

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
        const { id, needsToken } = connection
        const seconds = needsToken === false ? unusedTtlSeconds : ttlSeconds
        opened.set(id, { timer: forgetAfter(id, seconds), release })
        return connection
      } catch (error) {
        release()
        throw error
      }
    },
    used(id) {
      const found = opened.get(id)
      if (found === undefined) return
      if (found.isUsed) {
        found.timer.refresh()
        return
      }
      clearTimeout(found.timer)
      opened.set(id, { ...found, isUsed: true, timer: forgetAfter(id, ttlSeconds) })
    },
  }
}
