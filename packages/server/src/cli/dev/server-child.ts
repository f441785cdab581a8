/**
 * The child process of `mcp-template dev`: runs one server at a time and replaces it on restart.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { LAUNCHED } from '../../process/stdio-launcher.ts'

/** Exceeds the time of a graceful shutdown in development: only a hung server is killed. */
const PATIENCE_MS = 5000

export interface ServerChildOptions {
  /** The arguments for the command `mcp-template`. */
  readonly args: readonly string[]
  /** Whether the caller connects standard input and file descriptor 3, which carries messages. */
  readonly stdio: boolean
  readonly say: (message: string) => void
}

export class ServerChild {
  readonly #options: ServerChildOptions
  #child: ChildProcess | undefined
  #turn = Promise.resolve()
  #wanted = 0
  #stopped = false
  /** Called for every process when it is ready, and when it has exited. */
  onReady: (child: ChildProcess) => void = () => undefined
  onGone: () => void = () => undefined

  constructor(options: ServerChildOptions) {
    this.#options = options
  }

  /** Starts the server, or replaces the running one. */
  restart(): void {
    this.#wanted += 1
    const mine = this.#wanted
    this.#turn = this.#turn.then(async () => {
      // Coalesces changes that arrive while a server stops into one restart.
      if (this.#stopped || mine !== this.#wanted) return
      await this.#end()
      if (!this.#stopped) this.#child = this.#begin()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#turn
    await this.#end()
  }

  #begin(): ChildProcess {
    const { args, stdio, say } = this.#options
    const begun = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
      env: { STOP_DELAY: '0', ...process.env, ...(stdio && LAUNCHED) },
      // As in the stdio launcher: standard output of the child goes to standard error.
      stdio: stdio ? ['pipe', 2, 2, 'pipe', 'ipc'] : ['ignore', 'inherit', 'inherit', 'ipc'],
      // Ctrl-C signals the process group; a second signal would cut the shutdown short.
      detached: process.platform !== 'win32',
    })
    begun.once('message', () => this.onReady(begun))
    begun.once('exit', (code) => {
      this.onGone()
      if (this.#child !== begun) return
      this.#child = undefined
      say(`the server ended with ${code ?? 'a signal'}; it starts again when a file changes`)
    })
    return begun
  }

  async #end(): Promise<void> {
    const ending = this.#child
    this.#child = undefined
    if (ending === undefined) return
    const gone = once(ending, 'exit')
    ending.kill('SIGTERM')
    const timer = setTimeout(() => ending.kill('SIGKILL'), PATIENCE_MS)
    await gone
    clearTimeout(timer)
  }
}
