/** Ends streams when their session or grant ends on any node, or when the token allows no longer. */

import type { ClusterNode } from './cluster-node.ts'
import {
  type CheckedStream,
  type CheckStream,
  createStreamChecks,
  type EndReason,
  later,
  type StreamCheckDeps,
  type StreamCheckOptions,
  type TokenSession,
} from './stream-checks.ts'

export type { TokenSession } from './stream-checks.ts'

/** Grace period: over HTTP+SSE the response to the sign-out call needs the same stream. */
const LAST_WORDS_MS = 400
/** Tombstone TTL: also ends streams that were authenticated before the end but open after it. */
const REMEMBERED_MS = 30_000

export type SessionEnds = ReturnType<typeof createSessionEnds>

export function createSessionEnds(
  node: ClusterNode,
  deps: StreamCheckDeps,
  options: StreamCheckOptions = {},
) {
  const { now } = deps
  const tombstones = createTombstones()
  const startChecks = createStreamChecks(deps, options)
  const watched = createWatchedStreams((stream) =>
    tombstones.cover(stream.session) ? endSoon(stream) : startChecks(stream),
  )

  node.onControl((control) => {
    if (control.kind !== 'session_ended') return
    const { sessionId, grantId, at } = control
    tombstones.add(grantId ?? sessionId, at)
    later(LAST_WORDS_MS, () => watched.endAll(sessionId, at, grantId))
  })

  return {
    /**
     * Calls `end` once, when the stream must end. Returns the function that stops watching. While
     * `isBusy` resolves to true, the expiry of an external issuer's token does not end the stream.
     */
    watch: watched.watch,
    /** Ends the open streams on this node whose sessions fit. */
    endWhere: watched.endWhere,
    /**
     * Broadcasts that a session has ended or, with `grantId`, one of its grants. Never rejects.
     */
    announce: (sessionId: string, grantId?: string): Promise<void> =>
      node.broadcastWithRetry({
        ...{ kind: 'session_ended', sessionId, at: now() },
        ...(grantId !== undefined && { grantId }),
      }),
  }
}

/** The sessions and grants that have ended lately, on any node. */
function createTombstones() {
  const ended = new Map<string, number>()
  return {
    add(id: string, at: number): void {
      ended.set(id, at)
      later(REMEMBERED_MS, () => {
        if (ended.get(id) === at) ended.delete(id)
      })
    },
    /** Whether the session has ended after it was authenticated, or its grant was revoked. */
    cover({ id, grantId, since }: TokenSession): boolean {
      const endedAt = ended.get(id)
      const isRevoked = grantId !== undefined && ended.has(grantId)
      return isRevoked || (endedAt !== undefined && since <= endedAt)
    },
  }
}

/** Ends a stream whose session has ended before. Returns the function that prevents it. */
function endSoon({ end }: CheckedStream): () => void {
  const timer = later(0, () => end('ended'))
  return () => clearTimeout(timer)
}

/** The open streams of this node, by session. */
function createWatchedStreams(startChecks: CheckStream) {
  const open = new Map<string, Set<CheckedStream>>()

  function forget(watched: CheckedStream): void {
    const { id } = watched.session
    const all = open.get(id)
    all?.delete(watched)
    if (all?.size === 0) open.delete(id)
  }

  return {
    watch(
      session: TokenSession,
      end: (reason: EndReason) => void,
      isBusy?: () => Promise<boolean>,
    ): () => void {
      const stop = () => {
        stopChecks()
        forget(watched)
      }
      const watched: CheckedStream = {
        ...{ session, isBusy },
        end(reason) {
          stop()
          end(reason)
        },
      }
      const all = open.get(session.id) ?? new Set()
      open.set(session.id, all.add(watched))
      const stopChecks = startChecks(watched)
      return stop
    },
    endAll(sessionId: string, at: number, grantId: string | undefined): void {
      for (const watched of [...(open.get(sessionId) ?? [])]) {
        const { since, grantId: own } = watched.session
        // A newer token may have reopened the session since.
        if (since <= at && (grantId === undefined || grantId === own)) watched.end('ended')
      }
    },
    endWhere(fits: (session: TokenSession) => boolean): void {
      for (const watched of [...open.values()].flatMap((all) => [...all])) {
        if (fits(watched.session)) watched.end('ended')
      }
    },
  }
}
