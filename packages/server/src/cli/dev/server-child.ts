/** The server of `mcp-template dev`: a process that is replaced, one at a time. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { LAUNCHED } from '../../process/stdio-launcher.ts'

/** Longer than a server takes to stop in development, so that only one that hangs is killed. */
const PATIENCE_MS = 5000

export interface ServerChildOptions {
  /** Of the command `mcp-template`. */
  readonly args: readonly string[]
  /** Whether standard input and descriptor 3, for messages, are the caller's to connect. */
  readonly stdio: boolean
  readonly say: (message: string) => void
}

export interface ServerChild {
  /** Starts the server, or replaces the one that runs. */
  restart(): void
  stop(): Promise<void>
  /** Told of every process when it is ready, and when it is gone. */
  onReady: (child: ChildProcess) => void
  onGone: () => void
}

export function createServerChild({ args, stdio, say }: ServerChildOptions): ServerChild {
  let child: ChildProcess | undefined
  let turn = Promise.resolve()
  let wanted = 0
  let stopped = false

  const server: ServerChild = {
    restart() {
      const mine = ++wanted
      turn = turn.then(async () => {
        // Changes that come while one server stops need one new server, not one each.
        if (stopped || mine !== wanted) return
        await end()
        if (!stopped) child = begin()
      })
    },
    async stop() {
      stopped = true
      await turn
      await end()
    },
    onReady: () => undefined,
    onGone: () => undefined,
  }

  function begin(): ChildProcess {
    const begun = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
      env: { STOP_DELAY: '0', ...process.env, ...(stdio && LAUNCHED) },
      // As the launcher connects it: what is printed goes to standard error.
      stdio: stdio ? ['pipe', 2, 2, 'pipe', 'ipc'] : ['ignore', 'inherit', 'inherit', 'ipc'],
      // Ctrl-C reaches a whole group of processes; a second signal would cut its stopping short.
      detached: process.platform !== 'win32',
    })
    begun.once('message', () => server.onReady(begun))
    begun.once('exit', (code) => {
      server.onGone()
      if (child !== begun) return
      child = undefined
      say(`the server ended with ${code ?? 'a signal'}; it starts again when a file changes`)
    })
    return begun
  }

  async function end(): Promise<void> {
    const ending = child
    child = undefined
    if (ending === undefined) return
    const gone = once(ending, 'exit')
    ending.kill('SIGTERM')
    const timer = setTimeout(() => ending.kill('SIGKILL'), PATIENCE_MS)
    await gone
    clearTimeout(timer)
  }

  return server
}
