/**
 * Ends what is open for a session of tokens: when the session or its grant ends on any node. It outlives
 * the token that opened it where we issue tokens; those of others are good for as long as they say.
 */

import type { ClusterNode } from './cluster-node.ts'

/** The session that what a token opens belongs to. */
export interface TokenSession {
  readonly id: string
  /** When the session was opened, as Unix time in milliseconds. */
  readonly since: number
  /** What the token was given by. */
  readonly grantId?: string
  /** When the token runs out. */
  readonly expiresAt?: number
}

export interface SessionEnds {
  /** Calls `end` once, when it is time. Returns the function that stops watching. */
  watch(session: TokenSession, end: (reason: EndReason) => void): () => void
  /**
   * Announces to all nodes that a session has ended, or, with `grantId`, one grant of it. Never fails.
   */
  announce(sessionId: string, grantId?: string): Promise<void>
}

/** The answer to the call that signs out leaves by the same stream over HTTP+SSE. */
const LAST_WORDS_MS = 400
/** What was let in just before an end, and is opened just after it. */
const REMEMBERED_MS = 30_000

/** How often a stream whose token has expired is looked at, in case an announcement was lost. */
const LOOK_EVERY_MS = 30_000
/** A forgotten stream must not keep its session for longer. */
const LONGEST_STREAM_MS = 24 * 60 * 60 * 1000

/** Whether a client should authorize again (`expired`), or has been signed out. */
export type EndReason = 'ended' | 'expired'

interface Watched {
  readonly session: TokenSession
  readonly end: (reason: EndReason) => void
}

export interface SessionEndDeps {
  readonly now: () => number
  /**
   * Whether the session and its grant are alive, which counts as use; asked when the token of
   * something open has expired. Rejects when the store is unavailable.
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
      // A newer token may have brought the session back meanwhile.
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
      const look = async () => {
        if (session.grantId === undefined || now() > latest) return watched.end('expired')
        // What the store cannot say now, it says the next time.
        const isAlive = await goesOn(session).catch(() => true)
        if (!isWatching) return
        if (isAlive) timer = later(LOOK_EVERY_MS, look)
        else watched.end('ended')
      }
      const all = open.get(session.id) ?? new Set()
      open.set(session.id, all.add(watched))
      const endedAt = ended.get(session.id)
      const isRevoked = session.grantId !== undefined && ended.has(session.grantId)
      const isOver = isRevoked || (endedAt !== undefined && session.since <= endedAt)
      if (isOver) timer = later(0, () => watched.end('ended'))
      else if (session.expiresAt !== undefined) {
        timer = later(session.expiresAt - now(), look)
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

/** Timers count to 24 days at most, and end at once when they are asked to count on. */
const LONGEST_MS = 2 ** 31 - 1

/** A timer that does not keep the process. */
function later(milliseconds: number, run: () => unknown): NodeJS.Timeout {
  return setTimeout(run, Math.min(milliseconds, LONGEST_MS)).unref()
}
