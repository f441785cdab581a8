/** One worker as the primary sees it: a forked process, its end, and its messages. */

import cluster from 'node:cluster'
import type { LauncherMessage } from '../process/shutdown.ts'
import { NUMBER_VARIABLE, type ToPrimary, type ToWorker } from './ipc.ts'

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  /** From the fork, in milliseconds. */
  readonly livedMs: number
  /** Whether a graceful shutdown was complete, or there was nothing to shut down yet. */
  readonly isClean: boolean
}

export type WorkerProcess = ReturnType<typeof startWorker>

/** Forks worker `number`, which runs the same command; `onMessage` gets what it sends. */
export function startWorker(number: number, onMessage: (message: ToPrimary) => void) {
  const forkedAt = performance.now()
  const worker = cluster.fork({ [NUMBER_VARIABLE]: String(number) })
  let isReady = false
  const ended = new Promise<Ended>((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) => {
      const isClean = code === 0 || (!isReady && signal === 'SIGTERM')
      isReady = false
      resolve({ code, signal, livedMs: performance.now() - forkedAt, isClean })
    })
  })
  const ready = new Promise<true>((resolve) => {
    worker.on('message', (message: ToPrimary) => {
      if (message.type === 'ready') {
        isReady = true
        resolve(true)
      } else onMessage(message)
    })
  })
  // A message to a process that is ending fails; its `exit` follows.
  const send = (message: ToWorker | LauncherMessage) =>
    worker.process.send?.(message, undefined, undefined, () => undefined)
  const kill = () => void worker.process.kill('SIGKILL')

  return {
    number,
    ended,
    /** False if the worker ended before it served. */
    started: Promise.race([ready, ended.then(() => false)]),
    isReady: () => isReady,
    send: (message: ToWorker) => void send(message),
    kill,
    /** Shuts down gracefully; kills the process after `longestMs`. */
    async stop(longestMs: number): Promise<void> {
      const timer = setTimeout(kill, longestMs)
      // A message rather than a signal: Ctrl-C in a terminal has signalled the worker already, and
      // a second signal ends it at once.
      if (isReady) send({ signal: 'SIGTERM' })
      else worker.process.kill('SIGTERM')
      await ended
      clearTimeout(timer)
    },
  }
}
