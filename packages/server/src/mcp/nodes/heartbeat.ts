/** Heartbeats: which of the nodes that share a store are alive. */

import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'

const BEAT_MS = 1500
/** A node that has missed three heartbeats counts as dead. */
const HEARTBEAT_SECONDS = 5

const heartbeatOf = (nodeId: string) => `{nodes}:heartbeat:${nodeId}`

export interface HeartbeatDeps {
  readonly store: Store
  readonly log: Logger
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** Starts the heartbeat of the node `id`. Resolves after the first beat; never rejects. */
export async function startHeartbeat({ store, log, monotonicNow }: HeartbeatDeps, id: string) {
  /** Time of our last failed heartbeat: those of other nodes may have failed as well. */
  let failedAt = Number.NEGATIVE_INFINITY
  const beat = () =>
    store.set(heartbeatOf(id), { since: Date.now() }, HEARTBEAT_SECONDS).catch((error: unknown) => {
      failedAt = monotonicNow()
      log.debug({ err: error }, 'heartbeat missed')
    })
  const beating = setInterval(beat, BEAT_MS)
  await beat()

  return {
    /** Whether a node's heartbeat is live. True in doubt: missing beats may be a store outage. */
    async isAlive(nodeId: string): Promise<boolean> {
      // The asking node is alive, even if a stall has let its heartbeat expire.
      if (nodeId === id) return true
      if ((await store.get(heartbeatOf(nodeId))) !== undefined) return true
      return monotonicNow() - failedAt < HEARTBEAT_SECONDS * 1000
    },
    stop: () => clearInterval(beating),
    /** Removes the heartbeat, so that others see at once that this node has left. */
    forget: () => store.delete(heartbeatOf(id)).catch(() => undefined),
  }
}
