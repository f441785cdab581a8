/** Ends what is open for a session of tokens: when it ends on any node, or its token runs out. */

import type { Node } from './node.ts'

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
  watch(session: TokenSession, end: () => void): () => void
  /**
   * Announces to all nodes that a session has ended, or, with `grantId`, one grant of it. Never fails.
   */
  announce(sessionId: string, grantId?: string): Promise<void>
}

/** The answer to the call that signs out leaves by the same stream over HTTP+SSE. */
const LAST_WORDS_MS = 400
/** What was let in just before an end, and is opened just after it. */
const REMEMBERED_MS = 30_000

interface Watched {
  readonly session: TokenSession
  readonly end: () => void
}

export interface SessionEndDeps {
  readonly now: () => number
}

export function createSessionEnds(node: Node, { now }: SessionEndDeps): SessionEnds {
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
      if (since <= at && (grantId === undefined || grantId === own)) watched.end()
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
      const stop = () => {
        clearTimeout(timer)
        forget(watched)
      }
      const watched: Watched = {
        session,
        end() {
          stop()
          end()
        },
      }
      const all = open.get(session.id) ?? new Set()
      open.set(session.id, all.add(watched))
      const endedAt = ended.get(session.id)
      const isRevoked = session.grantId !== undefined && ended.has(session.grantId)
      const isOver = isRevoked || (endedAt !== undefined && session.since <= endedAt)
      if (isOver) timer = later(0, watched.end)
      else if (session.expiresAt !== undefined) {
        timer = later(session.expiresAt - now(), watched.end)
      }
      return stop
    },
    announce: (sessionId, grantId) =>
      node.announce({
        ...{ kind: 'session_ended', sessionId, at: now() },
        ...(grantId !== undefined && { grantId }),
      }),
  }
}

/** Timers count to 24 days at most, and end at once when they are asked to count on. */
const LONGEST_MS = 2 ** 31 - 1

/** A timer that does not keep the process. */
function later(milliseconds: number, run: () => void): NodeJS.Timeout {
  return setTimeout(run, Math.min(milliseconds, LONGEST_MS)).unref()
}
