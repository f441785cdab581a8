/** A measured server as a separate process, started as in deployment. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../packages/server/test/support/free-port.ts'

export interface Program {
  /** The program and its arguments. */
  readonly command: (port: number) => readonly [program: string, ...args: string[]]
  readonly env: (port: number) => NodeJS.ProcessEnv
  /** The path of the readiness probe. */
  readonly readyPath: string
}

export interface MeasuredProcess {
  readonly pid: number
  readonly port: number
  /** Time from the start of the process to its first response. */
  readonly startMs: number
  stop(): Promise<void>
}

/** The flags of this server's image, used for all servers on Node. */
const NODE_OPTIONS = '--max-semi-space-size=64'

/** A timeout for hung processes only: a busy machine is many times slower than an idle one. */
const PATIENCE_MS = 120_000
const STOP_MS = 5000

/** The command that runs a script with this Node. */
export function nodeCommand(script: string, ...args: string[]): [string, ...string[]] {
  return [process.execPath, script, ...args]
}

/** Starts a program and waits until it responds. */
export async function startMeasured(program: Program): Promise<MeasuredProcess> {
  const port = await freePort()
  const started = performance.now()
  const [command, ...args] = program.command(port)
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', NODE_OPTIONS, ...program.env(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const gone = once(child, 'exit').then(() => process.off('exit', kill))
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  while (!(await answers(port, program.readyPath))) {
    if (child.exitCode !== null || performance.now() - started > PATIENCE_MS) {
      kill()
      throw new Error(`${[command, ...args].join(' ')} did not start: ${complaint}`)
    }
    await delay(5)
  }
  return {
    pid: child.pid ?? 0,
    port,
    startMs: performance.now() - started,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(kill, STOP_MS)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Any response counts: peers have no readiness endpoint. */
async function answers(port: number, path: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    await response.body?.cancel()
    return response.status !== 503
  } catch {
    return false
  }
}
