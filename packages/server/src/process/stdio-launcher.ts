/**
 * Keeps standard output for the protocol: runs the server in a child process whose descriptors 1 and
 * 2 both lead to standard error, and whose descriptor 3 is this process's standard output. So nothing
 * that a tool, a package or a process of theirs prints can get between messages.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { LauncherMessage } from './shutdown.ts'
import { openDescriptor, redirectStdout } from './stdio-output.ts'

/** Tells the child process its descriptor for messages. */
const DESCRIPTOR_VARIABLE = 'MCP_STDIO_FD'
/** The environment of a server whose descriptor 3 leads to its client, so that it needs no launcher. */
export const LAUNCHED: Readonly<Record<string, string>> = { [DESCRIPTOR_VARIABLE]: '3' }
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
/** A child process that takes no note of a signal for so long is stuck in a computation. */
const ANSWER_MS = 1000

/**
 * Where messages are written, or `launched` in the process that only waits for its child. Where no
 * process may be started, what is printed by JavaScript is redirected, and nothing else.
 */
export async function openStdio(env: NodeJS.ProcessEnv): Promise<Writable | 'launched'> {
  const descriptor = env[DESCRIPTOR_VARIABLE]
  if (descriptor !== undefined) {
    // Not for processes that tools start.
    delete env[DESCRIPTOR_VARIABLE]
    return openDescriptor(Number(descriptor))
  }
  try {
    await launch(env)
    return 'launched'
  } catch {
    return redirectStdout()
  }
}

/** @throws when the process cannot be started */
async function launch(env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: [0, 2, 2, 1, 'ipc'],
    env: { ...env, ...LAUNCHED },
  })
  await once(child, 'spawn')
  const killStuck = forwardSignals(child)
  child.once('exit', (code, signal) => {
    clearTimeout(killStuck())
    if (signal === null) process.exit(code ?? 1)
    for (const each of SIGNALS) process.removeAllListeners(each)
    process.kill(process.pid, signal)
  })
}

/** Gives the timer that ends a child process which does not react. */
function forwardSignals(child: ChildProcess): () => NodeJS.Timeout | undefined {
  let timer: NodeJS.Timeout | undefined
  let reacts = false
  child.on('message', () => {
    reacts = true
    clearTimeout(timer)
  })
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A process that is still starting has nothing to finish.
      if (!reacts) {
        child.kill(signal)
        return
      }
      clearTimeout(timer)
      timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_MS)
      const message: LauncherMessage = { signal }
      child.send(message, (error) => error !== null && child.kill(signal))
    })
  }
  return () => timer
}
