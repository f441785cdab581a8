/**
 * Checks how long a stream may outlive the token that opened it. With tokens that this server issues:
 * as long as session and grant exist. With those of an external issuer, whose revocations are unknown
 * here: while the client uses newer tokens for the same session.
 */

/** The session that a token, and each stream opened with it, belongs to. */
export interface TokenSession {
  readonly id: string
  /** When the session was opened, as Unix time in milliseconds. */
  readonly since: number
  /** The grant that the token was issued for; absent for an external issuer. */
  readonly grantId?: string
  /** Expiry of the token, as Unix time in milliseconds. */
  readonly expiresAt?: number
  readonly clientId?: string
  /** The person who is signed in; and whom the token names, with the issuer that does. */
  readonly owner?: string
  readonly subject?: string
  readonly issuer?: string
}

/** `expired`: the client should authorize again; `ended`: it has been signed out. */
export type EndReason = 'ended' | 'expired'

export interface StreamCheckDeps {
  readonly now: () => number
  /**
   * Whether the session and its grant are alive, which counts as use; called for a stream whose
   * token has expired. Rejects if the store is unavailable.
   */
  readonly mayContinue?: (session: TokenSession) => Promise<boolean>
  /**
   * The latest expiry of an external issuer's tokens that were used for the session, as Unix time in
   * milliseconds; undefined if there is none. Counts as use. Rejects if the store is unavailable.
   */
  readonly tokenUntil?: (session: TokenSession) => Promise<number | undefined>
}

export interface StreamCheckOptions {
  /** Maximum age of a stream: a leaked one must not keep its session alive for longer. */
  readonly maxStreamSeconds?: number
}

/** A stream, as the checks need it. */
export interface CheckedStream {
  readonly session: TokenSession
  readonly end: (reason: EndReason) => void
  /** Whether running calls respond on the stream, which delays its end by `expired`. */
  readonly isBusy?: (() => Promise<boolean>) | undefined
}

/** Check interval of streams whose token has expired, in case a broadcast was lost. */
const LOOK_EVERY_MS = 30_000
/** Interval of the checks for running calls. */
const BUSY_EVERY_MS = 400
const DAY_SECONDS = 24 * 60 * 60

/** Starts the checks of a stream; returns the function that stops them. */
export type CheckStream = (stream: CheckedStream) => () => void

export function createStreamChecks(
  { now, mayContinue = async () => false, tokenUntil = async () => undefined }: StreamCheckDeps,
  { maxStreamSeconds = DAY_SECONDS }: StreamCheckOptions,
): CheckStream {
  /** When to check again, as Unix time in milliseconds, or why the stream must end. */
  async function outlook(session: TokenSession): Promise<number | EndReason> {
    const soon = now() + LOOK_EVERY_MS
    // The store is unavailable: fails open until the next check.
    if (session.grantId !== undefined) {
      return (await mayContinue(session).catch(() => true)) ? soon : 'ended'
    }
    const until = (await tokenUntil(session).catch(() => soon)) ?? 0
    return until > now() ? Math.min(until, soon) : 'expired'
  }

  return ({ session, end, isBusy }) => {
    const latest = now() + maxStreamSeconds * 1000
    let timer: NodeJS.Timeout | undefined
    let isStopped = false
    let idleChecks = 0

    /** Requires two idle checks in a row: a response is sent just after its call has ended. */
    async function isIdle(): Promise<boolean> {
      if (isBusy === undefined) return true
      idleChecks = (await isBusy().catch(() => true)) ? 0 : idleChecks + 1
      return idleChecks > 1
    }

    function checkAt(at: number): void {
      if (!isStopped) timer = later(Math.min(at, latest) - now(), check)
    }

    async function check(): Promise<void> {
      if (now() >= latest) return end('expired')
      const next = await outlook(session)
      if (typeof next === 'number') return checkAt(next)
      if (next === 'expired' && !(await isIdle())) return checkAt(now() + BUSY_EVERY_MS)
      if (!isStopped) end(next)
    }

    checkAt(session.expiresAt ?? latest)
    return () => {
      isStopped = true
      clearTimeout(timer)
    }
  }
}

/** Maximum delay of `setTimeout`, 24 days: a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** A timer that does not keep the process alive. */
export function later(milliseconds: number, run: () => unknown): NodeJS.Timeout {
  return setTimeout(run, Math.min(milliseconds, LONGEST_MS)).unref()
}
