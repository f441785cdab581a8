/**
 * Graceful shutdown (draining) on a signal, a shorter one after a fault, and an immediate exit on
 * repeats.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { RootLogger } from '../logger.ts'

/** Why a service stops: after a fault, less time remains. */
export type StopCause = 'signal' | 'fault'

/** Resolves after running calls have been answered and connections released. */
type Stop = (cause: StopCause) => Promise<void>

/** Limit after a fault: the service drains calls for 5 s; closing resources gets the rest. */
const LONGEST_AFTER_FAULT_MS = 6000

/** IPC message from the stdio launcher, or from the primary of several workers, to its child. */
export interface LauncherMessage {
  readonly signal: NodeJS.Signals
}

/**
 * The parent process; this process ends with it. The launcher forwards signals as messages
 * (`stdio-launcher.ts`), as does the primary (`workers/worker-process.ts`); `dev` sends signals and
 * restarts the process (`cli/dev/server-child.ts`).
 */
export type Parent = 'launcher' | 'primary' | 'dev'

interface ShutdownOptions {
  readonly parent?: Parent | undefined
}

type End = (reason: string) => void

export type Shutdown = ReturnType<typeof createShutdown>

/** Handles faults at once, and signals from `serves` on: earlier signals end the process. */
export function createShutdown(log: RootLogger, { parent }: ShutdownOptions = {}) {
  let stop: Stop = async () => undefined
  let onEndAtOnce: () => void = () => undefined
  let stopping: Promise<void> | undefined
  let hasFaulted = false
  let hasFailed = false

  /** Idempotent: later callers await the same shutdown. */
  function stopOnce(cause: StopCause): Promise<void> {
    stopping ??= stop(cause)
    return stopping
  }

  async function endCleanly(reason: string): Promise<void> {
    if (stopping !== undefined) return
    log.info({ reason }, 'stopping')
    await stopOnce('signal')
    log.info('stopped')
    await log.close()
    process.exit(hasFaulted || hasFailed ? 1 : 0)
  }

  /**
   * After an uncaught exception, the state of the process is unknown, but unrelated calls may still
   * finish. As in Node, an unhandled rejection counts as an uncaught exception.
   */
  async function endAfterFault(error: unknown, origin: string): Promise<void> {
    if (hasFaulted) {
      logFatal(error, origin)
      endAtOnce()
      return
    }
    hasFaulted = true
    logFatal(error, origin)
    await Promise.race([stopOnce('fault'), delay(LONGEST_AFTER_FAULT_MS)])
    await log.close()
    process.exit(1)
  }

  function logFatal(error: unknown, origin: string): void {
    log.fatal({ err: error, origin }, 'uncaught exception')
    log.flush()
  }

  /** Skips `exit` listeners, which may block on a full disk. */
  function endAtOnce(): void {
    onEndAtOnce()
    log.flush()
    reallyExit(1)
  }

  process.on('uncaughtException', (error, origin) => {
    endAfterFault(error, origin).catch(() => reallyExit(1))
  })
  const end: End = (reason) => void endCleanly(reason)
  return {
    /**
     * Registers the running service, which is stopped before the process ends. `onEndAtOnce` is
     * called before an immediate exit.
     */
    serves(given: Stop, beforeEnd: () => void = onEndAtOnce): void {
      stop = given
      onEndAtOnce = beforeEnd
      onSignals(parent, end, endAtOnce)
    },
    /** Shuts down gracefully, with exit code 0. */
    end,
    /** Sets the exit code of a graceful shutdown to 1. */
    failed(): void {
      hasFailed = true
    },
  }
}

/**
 * The first signal shuts down gracefully, a second exits at once. A terminal signals both the
 * parent and this process, so signals of each source are counted separately.
 */
function onSignals(parent: Parent | undefined, end: End, endAtOnce: () => void): void {
  const counts = { here: 0, atParent: 0 }
  const onSignal = (where: keyof typeof counts, signal: NodeJS.Signals) => {
    counts[where] += 1
    if (counts[where] > 1) endAtOnce()
    else end(signal)
  }
  process.on('SIGTERM', (signal) => onSignal('here', signal))
  process.on('SIGINT', (signal) => onSignal('here', signal))
  if (parent === undefined) return
  if (parent !== 'dev') {
    process.on('message', ({ signal }: Partial<LauncherMessage>) => {
      if (signal === undefined) return
      if (parent === 'launcher') notifyLauncher()
      onSignal('atParent', signal)
    })
  }
  // Node itself ends a worker whose primary has gone.
  if (parent === 'primary') return
  process.once('disconnect', () => end(`end of ${parent}`))
  if (parent !== 'launcher') return
  process.on('SIGHUP', (signal) => onSignal('here', signal))
  notifyLauncher()
  if (!process.connected) end('end of launcher')
}

/** Acknowledges to the launcher that this process handles signals; ignores a failed send. */
function notifyLauncher(): void {
  process.send?.('reacts', undefined, undefined, () => undefined)
}

/** `process.exit` without `exit` listeners; not in Node's types. */
function reallyExit(code: number): void {
  ;(process as unknown as { reallyExit(code: number): void }).reallyExit(code)
}
