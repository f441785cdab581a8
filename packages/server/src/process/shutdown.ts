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

/** Handles faults at once, and signals from `serves` on: earlier signals end the process. */
export function createShutdown(log: RootLogger, { parent }: ShutdownOptions = {}): Shutdown {
  const shutdown = new Shutdown(log, parent)
  process.on('uncaughtException', (error, origin) => {
    shutdown.endAfterFault(error, origin).catch(() => reallyExit(1))
  })
  return shutdown
}

export class Shutdown {
  readonly #log: RootLogger
  readonly #parent: Parent | undefined
  #stop: Stop = async () => undefined
  #onEndAtOnce: () => void = () => undefined
  #stopping: Promise<void> | undefined
  #hasFaulted = false
  #hasFailed = false

  constructor(log: RootLogger, parent: Parent | undefined) {
    this.#log = log
    this.#parent = parent
  }

  /**
   * Registers the running service, which is stopped before the process ends. `onEndAtOnce` is
   * called before an immediate exit.
   */
  serves(stop: Stop, onEndAtOnce: () => void = this.#onEndAtOnce): void {
    this.#stop = stop
    this.#onEndAtOnce = onEndAtOnce
    onSignals(
      this.#parent,
      (reason) => this.end(reason),
      () => this.#endAtOnce(),
    )
  }

  /** Shuts down gracefully, with exit code 0. */
  end(reason: string): void {
    void this.#endCleanly(reason)
  }

  /** Sets the exit code of a graceful shutdown to 1. */
  failed(): void {
    this.#hasFailed = true
  }

  /**
   * After an uncaught exception, the state of the process is unknown, but unrelated calls may still
   * finish. As in Node, an unhandled rejection counts as an uncaught exception.
   */
  async endAfterFault(error: unknown, origin: string): Promise<void> {
    this.#log.fatal({ err: error, origin }, 'uncaught exception')
    this.#log.flush()
    if (this.#hasFaulted) {
      this.#endAtOnce()
      return
    }
    this.#hasFaulted = true
    await Promise.race([this.#stopOnce('fault'), delay(LONGEST_AFTER_FAULT_MS)])
    await this.#log.close()
    process.exit(1)
  }

  async #endCleanly(reason: string): Promise<void> {
    if (this.#stopping !== undefined) return
    this.#log.info({ reason }, 'stopping')
    await this.#stopOnce('signal')
    this.#log.info('stopped')
    await this.#log.close()
    process.exit(this.#hasFaulted || this.#hasFailed ? 1 : 0)
  }

  /** Idempotent: later callers await the same shutdown. */
  #stopOnce(cause: StopCause): Promise<void> {
    this.#stopping ??= this.#stop(cause)
    return this.#stopping
  }

  /** Skips `exit` listeners, which may block on a full disk. */
  #endAtOnce(): void {
    this.#onEndAtOnce()
    this.#log.flush()
    reallyExit(1)
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
