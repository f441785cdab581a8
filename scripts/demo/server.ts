/** The server as a separate process, on a free port, while the demo runs. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { serverCommand } from './command.ts'
import { DemoFailure } from './report.ts'

const STOP_MS = 3000

export interface RunningServer {
  readonly url: string
  readonly shown: string
  stop(): Promise<void>
}

/** Starts the server in `folder` and waits until it is ready. */
export async function startServer(
  folder: string,
  env: Record<string, string>,
): Promise<RunningServer> {
  const { program, args, shown } = serverCommand()
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  try {
    return { url: await untilReady(child), shown, stop: () => stop(child) }
  } catch (error) {
    await stop(child)
    throw error
  }
}

async function untilReady(child: ChildProcess): Promise<string> {
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const failed = once(child, 'exit').then(() => {
    throw new DemoFailure(`the server did not start: ${complaint.trim() || 'it said nothing'}`)
  })
  return Promise.race([readAddress(child), failed])
}

/** Reads the URL from the log, then keeps reading so that backpressure never blocks the server. */
function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parse(text)
      if (line.msg === 'ready' && line.publicUrl !== undefined) resolve(line.publicUrl)
    })
  })
}

function parse(text: string): { readonly msg?: string; readonly publicUrl?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}
