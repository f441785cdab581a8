/** Generates load: the same program for all servers, which validates every response. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { cpuSeconds } from './process-facts.ts'

/** The request to send. */
export interface Call {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A text that only correct responses contain. */
  readonly expect: string
  /**
   * A file with the tab-separated headers of one caller per line, and the names of these headers.
   */
  readonly callers?: { readonly file: string; readonly columns: readonly string[] } | undefined
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Requests without a correct response. */
  readonly failures: number
  /** CPU time of the server process per request, in microseconds. */
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const CONNECTIONS = 32

export const loadTool = spawnSync('wrk', ['--version']).error === undefined ? 'wrk' : 'autocannon'

/**
 * Sends as many requests as the server answers, on 32 connections; or an open-loop load of `rate`
 * per second, independent of response times, as far as possible. `pid` is the server's.
 */
export function putLoad(
  call: Call,
  seconds: number,
  pid: number,
  rate?: number,
): Promise<LoadResult> {
  if (loadTool === 'wrk') {
    return run(pid, luaOf(call, rate), (job) => {
      const script = join(import.meta.dirname, 'load/wrk.lua')
      const options = ['-t1', `-c${CONNECTIONS}`, `-d${Math.ceil(seconds)}s`, '--timeout', '30s']
      return ['wrk', [...options, '-s', script, new URL(call.url).origin, '--', job]]
    })
  }
  const script = join(import.meta.dirname, 'load/autocannon.mjs')
  const more = { seconds: Math.ceil(seconds), ...(rate !== undefined && { rate }) }
  return run(pid, jsonOf(call, more), (job) => [process.execPath, [script, job]])
}

async function run(
  pid: number,
  job: string,
  command: (jobFile: string) => [program: string, args: string[]],
): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-job-'))
  try {
    const file = join(folder, 'job')
    writeFileSync(file, job)
    const [program, args] = command(file)
    const before = cpuSeconds(pid)
    const load = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [output, complaint] = await Promise.all([text(load.stdout), text(load.stderr)])
    const line = output.split('\n').findLast((each) => each.startsWith('{'))
    if (line === undefined) throw new Error(`${program} measured nothing: ${output}${complaint}`)
    const result = JSON.parse(line) as LoadResult
    const cpuMicros = ((cpuSeconds(pid) - before) * 1e6) / Math.max(1, result.requests)
    return { ...result, cpuMicros }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function jsonOf({ url, headers, body, expect, callers }: Call, more: object): string {
  const who = callers && { callers: callers.file, columns: callers.columns }
  return JSON.stringify({ url, headers, body, expect, connections: CONNECTIONS, ...who, ...more })
}

/** JSON strings are valid Lua strings, unless they contain numeric escapes. */
function luaOf({ url, headers, body, expect, callers }: Call, rate?: number): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  const facts = [
    `path = ${JSON.stringify(new URL(url).pathname)}`,
    `headers = { ${lines.join(', ')} }`,
    `body = ${JSON.stringify(body)}`,
    `expect = ${JSON.stringify(expect)}`,
  ]
  if (rate !== undefined) facts.push(`rate = ${rate}`)
  if (callers !== undefined) {
    facts.push(`callers = ${JSON.stringify(callers.file)}`)
    facts.push(`columns = { ${callers.columns.map((name) => JSON.stringify(name)).join(', ')} }`)
  }
  return `return { ${facts.join(', ')} }`
}
