/**
 * Ends streams when their session or grant ends on any node. With tokens that this server issues, a
 * stream outlives the token that opened it; with those of other issuers it ends when they expire.
 */

import type { ClusterNode } from './cluster-node.ts'

/** The session that a token, and each stream opened with it, belongs to. */
export interface TokenSession {
  readonly id: string
  /** When the session was opened, as Unix time in milliseconds. */
  readonly since: number
  /** The grant that the token was issued for. */
  readonly grantId?: string
  /** Expiry of the token, as Unix time in milliseconds. */
  readonly expiresAt?: number
}

export interface SessionEnds {
  /** Calls `end` once, when the stream must end. Returns the function that stops watching. */
  watch(session: TokenSession, end: (reason: EndReason) => void): () => void
  /**
   * Broadcasts that a session has ended or, with `grantId`, one of its grants. Never rejects.
   */
  announce(sessionId: string, grantId?: string): Promise<void>
}

/** Grace period: over HTTP+SSE the response to the sign-out call needs the same stream. */
const LAST_WORDS_MS = 400
/** Tombstone TTL: also ends streams that were authenticated before the end but open after it. */
const REMEMBERED_MS = 30_000

/** Check interval of streams whose token has expired, in case a broadcast was lost. */
const CHECK_INTERVAL_MS = 30_000
/** Maximum age of a stream: a leaked one must not keep its session alive for longer. */
const LONGEST_STREAM_MS = 24 * 60 * 60 * 1000

/** `expired`: the client should authorize again; `ended`: it has been signed out. */
export type EndReason = 'ended' | 'expired'

interface Watched {
  readonly session: TokenSession
  readonly end: (reason: EndReason) => void
}

export interface SessionEndDeps {
  readonly now: () => number
  /**
   * Whether the session and its grant are alive, which counts as use; called for a stream whose
   * token has expired. Rejects if the store is unavailable.
   */
  readonly goesOn?: (session: TokenSession) => Promise<boolean>
}

export function createSessionEnds(
  node: ClusterNode,
  { now, goesOn = async () => false }: SessionEndDeps,
): SessionEnds {
  const open = new Map<string, Set<Watched>>()
  const ended = new Map<string, number>()

  function forget(watched: Watched): void {
    const { id } = watched.session
    const all = open.get(id)
    all?.delete(watched)
    if (all?.size === 0) open.delete(id)
  }

  function endAll(sessionId: string, at: number, grantId: string | undefined): void {
    for (const watched of [...(open.get(sessionId) ?? [])]) {
      const { since, grantId: own } = watched.session
      // A newer token may have reopened the session since.
      if (since <= at && (grantId === undefined || grantId === own)) watched.end('ended')
    }
  }

  node.onControl((control) => {
    if (control.kind !== 'session_ended') return
    const { sessionId, grantId, at } = control
    const id = grantId ?? sessionId
    ended.set(id, at)
    later(REMEMBERED_MS, () => {
      if (ended.get(id) === at) ended.delete(id)
    })
    later(LAST_WORDS_MS, () => endAll(sessionId, at, grantId))
  })

  return {
    watch(session, end) {
      let timer: NodeJS.Timeout | undefined
      let isWatching = true
      const stop = () => {
        isWatching = false
        clearTimeout(timer)
        forget(watched)
      }
      const watched: Watched = {
        session,
        end(reason) {
          stop()
          end(reason)
        },
      }
      const latest = now() + LONGEST_STREAM_MS
      const check = async () => {
        if (session.grantId === undefined || now() > latest) return watched.end('expired')
        // The store is unavailable: fails open until the next check.
        const isAlive = await goesOn(session).catch(() => true)
        if (!isWatching) return
        if (isAlive) timer = later(CHECK_INTERVAL_MS, check)
        else watched.end('ended')
      }
      const all = open.get(session.id) ?? new Set()
      open.set(session.id, all.add(watched))
      const endedAt = ended.get(session.id)
      const isRevoked = session.grantId !== undefined && ended.has(session.grantId)
      const isOver = isRevoked || (endedAt !== undefined && session.since <= endedAt)
      if (isOver) timer = later(0, () => watched.end('ended'))
      else if (session.expiresAt !== undefined) {
        timer = later(session.expiresAt - now(), check)
      }
      return stop
    },
    announce: (sessionId, grantId) =>
      node.broadcastWithRetry({
        ...{ kind: 'session_ended', sessionId, at: now() },
        ...(grantId !== undefined && { grantId }),
      }),
  }
}

/** Maximum delay of `setTimeout`, 24 days: a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** A timer that does not keep the process alive. */
function later(milliseconds: number, run: () => unknown): NodeJS.Timeout {
  return setTimeout(run, Math.min(milliseconds, LONGEST_MS)).unref()
}
