/**
 * Measures the allocations of one call, and which of our files it enters: reproducible on every
 * machine.
 */

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../packages/server/test/support/free-port.ts'
import { direct, legacy, legacyWithToken, modern, modernWithToken } from './calls.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Call } from './load.ts'
import { startMeasured } from './measured-process.ts'
import { type OurSettings, ourServer } from './our-server.ts'

const WARM_UP = 6000
const CALLS = 8000
const COVERED_CALLS = 64
const CONNECTIONS = 32
/** Fewer, so that few calls are under way at a collection, and none becomes a stream on a busy machine. */
const FEW_CONNECTIONS = 16
const OURS = '/packages/server/dist/'

/** Few, so that sliding expiration does not renew a session in every call. */
export const PATH_SESSIONS = 8

export interface PathFigures {
  readonly key: string
  /** Allocations per call, in kB. */
  readonly kilobytes: number
  /** The allocations by file, largest first. */
  readonly byFile: readonly (readonly [file: string, kilobytes: number])[]
  /**
   * What is still reachable when V8 collects new objects, per call, in kB. Far more than the calls
   * under way means that something keeps ended ones: their copies cost time.
   */
  readonly survivingKilobytes: number
  /** This server's files in which a function ran in every call. */
  readonly files: readonly string[]
}

export interface PathOptions {
  readonly calls?: number
  /** Limits the measurement to these rows. */
  readonly only?: readonly string[]
}

/** Measures (c) to (g) in one process with few sessions. */
export async function measurePath(
  settings: OurSettings & { readonly sessions: LiveSessions },
  { calls = CALLS, only }: PathOptions = {},
  report: (line: string) => void = () => undefined,
): Promise<PathFigures[]> {
  const probePort = await freePort()
  const server = await startMeasured(probed(settings, probePort))
  const ask = async (action: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${probePort}${action}`)).json()
  try {
    const figures: PathFigures[] = []
    for (const [key, call] of Object.entries(rowsOf(settings.sessions, server.port))) {
      if (only !== undefined && !only.includes(key)) continue
      await send(call, Math.min(WARM_UP, calls))
      await ask('/survivors/start')
      await send(call, calls, FEW_CONNECTIONS)
      const survivingBytes = (await ask('/survivors/stop')) as number
      await ask('/heap/start')
      await send(call, calls)
      const allocated = (await ask('/heap/stop')) as Readonly<Record<string, number>>
      await ask('/coverage/start')
      await send(call, COVERED_CALLS)
      const entered = (await ask('/coverage/stop')) as Readonly<Record<string, number>>
      figures.push({
        ...{ key, ...allocationOf(allocated, calls) },
        survivingKilobytes: survivingBytes / calls / 1024,
        files: ownFiles(entered),
      })
      report(`(${key})`)
    }
    return figures
  } finally {
    await server.stop()
  }
}

function probed(settings: OurSettings, probePort: number) {
  const program = ourServer(settings)
  const probe = join(import.meta.dirname, 'probe.mjs')
  return {
    ...program,
    env: (port: number) => ({
      ...program.env(port),
      PROBE_PORT: String(probePort),
      NODE_OPTIONS: `--max-semi-space-size=64 --import ${probe}`,
    }),
  }
}

function rowsOf(sessions: LiveSessions, port: number): Readonly<Record<string, Call>> {
  return {
    c: modern(port),
    d: modernWithToken(sessions.bearers)(port),
    e: legacy(sessions)(port),
    f: legacyWithToken(sessions)(port),
    g: direct(sessions)(port),
  }
}

function allocationOf(bytesByUrl: Readonly<Record<string, number>>, calls: number) {
  const byFile = Object.entries(bytesByUrl)
    .map(([url, bytes]) => [shortName(url), bytes / calls / 1024] as const)
    .sort(([, a], [, b]) => b - a)
  return { byFile, kilobytes: byFile.reduce((sum, [, size]) => sum + size, 0) }
}

/** The files with a function that ran as often as there were calls, which excludes timers. */
function ownFiles(runsByUrl: Readonly<Record<string, number>>): string[] {
  return Object.entries(runsByUrl)
    .filter(([url, runs]) => url.includes(OURS) && runs >= COVERED_CALLS)
    .map(([url]) => shortName(url))
    .sort()
}

function shortName(url: string): string {
  return url.replace(/.*\/(?:packages\/server\/dist|node_modules)\//, '')
}

/** Sends `count` calls over a few keep-alive connections. */
async function send(call: Call, count: number, connections = CONNECTIONS): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const headersOf = headersByCaller(call)
  let left = count
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left > 0) {
        left -= 1
        await sendOne(call, headersOf(left), agent)
      }
    }),
  )
  agent.destroy()
}

function headersByCaller(call: Call): (at: number) => Record<string, string | number> {
  const common = {
    ...call.headers,
    'content-length': Buffer.byteLength(call.body),
    host: 'mcp.example.com',
  }
  if (call.callers === undefined) return () => common
  const { file, columns } = call.callers
  const callers = readFileSync(file, 'utf8').trim().split('\n')
  return (at) => {
    const values = callers[at % callers.length]?.split('\t') ?? []
    const own = Object.fromEntries(columns.map((name, index) => [name, values[index] ?? '']))
    return { ...common, ...own }
  }
}

function sendOne(
  { url, body, expect }: Call,
  headers: Record<string, string | number>,
  agent: Agent,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      response.on('end', () => {
        if (response.statusCode === 200 && text.includes(expect)) resolve()
        else reject(new Error(`${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
