/**
 * Reserves standard output for the protocol: runs the server in a child process whose descriptors 1
 * and 2 are standard error, and whose descriptor 3 is this process's standard output. So output of
 * tools, packages and their child processes cannot corrupt the message stream.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { LauncherMessage } from './shutdown.ts'
import { openDescriptor, redirectStdout } from './stdio-output.ts'

/** Environment variable with the child's descriptor for messages. */
const DESCRIPTOR_VARIABLE = 'MCP_STDIO_FD'
/** Environment of a server whose descriptor 3 is the message stream: it needs no launcher. */
export const LAUNCHED: Readonly<Record<string, string>> = { [DESCRIPTOR_VARIABLE]: '3' }
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
/** Longest wait for a child's acknowledgement of a signal; then its event loop is blocked. */
const ANSWER_MS = 1000

/**
 * Returns the stream for messages, or `launched` in the launcher, which only waits for its child.
 * If no process can be started, falls back to redirecting the output of JavaScript code only.
 */
export async function openStdio(env: NodeJS.ProcessEnv): Promise<Writable | 'launched'> {
  const descriptor = env[DESCRIPTOR_VARIABLE]
  if (descriptor !== undefined) {
    // Processes that tools start must not inherit the variable.
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

/** @throws if the process cannot be started */
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

/** Forwards signals; returns a getter for the timer that kills an unresponsive child. */
function forwardSignals(child: ChildProcess): () => NodeJS.Timeout | undefined {
  let timer: NodeJS.Timeout | undefined
  let reacts = false
  child.on('message', () => {
    reacts = true
    clearTimeout(timer)
  })
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A child that is still starting has no calls to drain.
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
