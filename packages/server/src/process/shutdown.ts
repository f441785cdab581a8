/** Ends the process: cleanly on a signal, soon after a fault, and at once when either comes again. */

import { setTimeout as delay } from 'node:timers/promises'
import type { RootLogger } from '../logger.ts'

/** Why a service stops: a fault leaves it less time. */
export type StopCause = 'signal' | 'fault'

/** Resolves when running calls were answered and connections given back. */
type Stop = (cause: StopCause) => Promise<void>

/** Running calls have 5 s, which the service keeps to; what is closed after them has the rest. */
const LONGEST_AFTER_FAULT_MS = 6000

/** What the launcher of a process on stdio passes on to it. */
export interface LauncherMessage {
  readonly signal: NodeJS.Signals
}

/**
 * A process that waits for this one, which ends with it: the launcher passes signals on as messages
 * (`stdio-launcher.ts`), `dev` sends them and replaces the process (`cli/dev/server-child.ts`).
 */
export type Parent = 'launcher' | 'dev'

interface ShutdownOptions {
  readonly parent?: Parent | undefined
}

type End = (reason: string) => void

export interface Shutdown {
  /** From now on there is something to stop first. */
  serves(stop: Stop): void
  /** Ends the process cleanly, with code 0. */
  readonly end: End
}

/** Watches for faults at once, and for signals from `serves` on: until then they end the process. */
export function createShutdown(log: RootLogger, { parent }: ShutdownOptions = {}): Shutdown {
  let stop: Stop = async () => undefined
  let stopping: Promise<void> | undefined
  let hasFaulted = false

  /** Whoever comes second waits for the same. */
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
    process.exit(hasFaulted ? 1 : 0)
  }

  /**
   * The state of the process is unknown now, but calls of others have nothing to do with that: they
   * are finished. Node counts a rejection that nobody handles as an exception, and so do we.
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

  /** Without listeners of `exit`, which may wait for a disk that is full. */
  function endAtOnce(): void {
    log.flush()
    reallyExit(1)
  }

  process.on('uncaughtException', (error, origin) => {
    endAfterFault(error, origin).catch(() => reallyExit(1))
  })
  const end: End = (reason) => void endCleanly(reason)
  return {
    serves(given) {
      stop = given
      onSignals(parent, end, endAtOnce)
    },
    end,
  }
}

/**
 * The first signal ends the process cleanly, a second one at once. A terminal sends its own to the
 * launcher and to this process, so that each has its own count.
 */
function onSignals(parent: Parent | undefined, end: End, endAtOnce: () => void): void {
  const counts = { here: 0, atLauncher: 0 }
  const onSignal = (where: keyof typeof counts, signal: NodeJS.Signals) => {
    counts[where] += 1
    if (counts[where] > 1) endAtOnce()
    else end(signal)
  }
  process.on('SIGTERM', (signal) => onSignal('here', signal))
  process.on('SIGINT', (signal) => onSignal('here', signal))
  if (parent === undefined) return
  process.once('disconnect', () => end(`end of ${parent}`))
  if (parent !== 'launcher') return
  process.on('SIGHUP', (signal) => onSignal('here', signal))
  process.on('message', ({ signal }: LauncherMessage) => {
    notifyLauncher()
    onSignal('atLauncher', signal)
  })
  notifyLauncher()
  if (!process.connected) end('end of launcher')
}

/** That this process reacts to signals. A launcher that is gone is heard of by `disconnect`. */
function notifyLauncher(): void {
  process.send?.('reacts', undefined, undefined, () => undefined)
}

/** Not in the types of Node: `process.exit` without the listeners of `exit`. */
function reallyExit(code: number): void {
  ;(process as unknown as { reallyExit(code: number): void }).reallyExit(code)
}
