/** What one call allocates, and how many of our files it enters: both the same on every machine. */

import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../packages/server/test/support/free-port.ts'
import { startRedis } from '../packages/server/test/support/redis.ts'
import { direct, legacy, legacyWithToken, modern, modernWithToken } from './calls.ts'
import { makeSessions } from './live-sessions.ts'
import type { Call } from './load.ts'
import { startMeasured } from './measured-process.ts'
import { ourServer } from './our-server.ts'
import { writeTools } from './tool-folder.ts'

const WARM_UP = 6000
const CALLS = 8000
const CONNECTIONS = 32
/** Few, so that sliding their expiration is not part of each call. */
const SESSIONS = 8
const OURS = '/packages/server/dist/'

const redis = await startRedis('plain')
const settings = { redisUrl: redis.url, toolsFolder: writeTools(1) }
const sessions = await makeSessions(settings, SESSIONS, mkdtempSync(join(tmpdir(), 'call-path-')))
const probePort = await freePort()
const program = ourServer(settings)
const probe = join(import.meta.dirname, 'probe.mjs')
const server = await startMeasured({
  ...program,
  env: (port) => ({
    ...program.env(port),
    PROBE_PORT: String(probePort),
    NODE_OPTIONS: `--max-semi-space-size=64 --import ${probe}`,
  }),
})
const ask = async (action: string) => (await fetch(`http://127.0.0.1:${probePort}${action}`)).json()

const rows: Readonly<Record<string, Call>> = {
  c: modern(server.port),
  d: modernWithToken(sessions.bearers)(server.port),
  e: legacy(sessions)(server.port),
  f: legacyWithToken(sessions)(server.port),
  g: direct(sessions)(server.port),
}
const detail = process.argv.includes('--detail')
for (const [row, call] of Object.entries(rows)) {
  if (process.argv[2]?.length === 1 && process.argv[2] !== row) continue
  await send(call, WARM_UP)
  await ask('/heap/start')
  await send(call, CALLS)
  const byFile = (await ask('/heap/stop')) as Record<string, number>
  await ask('/coverage/start')
  await send(call, 64)
  const entered = ((await ask('/coverage/stop')) as string[]).filter((url) => url.includes(OURS))
  const bytes = Object.values(byFile).reduce((sum, size) => sum + size, 0)
  const started = performance.now()
  await send(call, CALLS)
  const perSecond = Math.round((CALLS / (performance.now() - started)) * 1000)
  console.log(
    `${row}: ${(bytes / CALLS / 1024).toFixed(1)} kB a call, ${entered.length} files, ${perSecond}/s`,
  )
  if (detail) {
    const sorted = Object.entries(byFile).sort(([, a], [, b]) => b - a)
    for (const [url, size] of sorted.slice(0, 45)) {
      console.log(
        `   ${(size / CALLS / 1024).toFixed(2)}  ${url.replace(/.*(dist|node_modules)\//, '')}`,
      )
    }
    console.log(
      entered
        .map((url) => url.replace(/.*dist\//, ''))
        .sort()
        .join(' '),
    )
  }
}
await server.stop()
await redis.stop()
process.exit(0)

/** Sends so many calls over a few connections, which are kept. */
async function send(call: Call, count: number): Promise<void> {
  const { Agent, request } = await import('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const callers = call.callers && readFileSync(call.callers.file, 'utf8').trim().split('\n')
  let left = count
  const one = (at: number) =>
    new Promise<void>((resolve, reject) => {
      const own = callers?.[at % callers.length]?.split('\t') ?? []
      const more = Object.fromEntries(
        (call.callers?.columns ?? []).map((name, index) => [name, own[index] ?? '']),
      )
      const headers = {
        ...call.headers,
        ...more,
        'content-length': Buffer.byteLength(call.body),
        host: 'mcp.example.com',
      }
      const sent = request(call.url, { method: 'POST', agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part) => {
          text += part
        })
        response.on('end', () => {
          if (response.statusCode === 200 && text.includes(call.expect)) resolve()
          else reject(new Error(`${response.statusCode} ${text}`))
        })
      })
      sent.on('error', reject)
      sent.end(call.body)
    })
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (left > 0) {
        left -= 1
        await one(left)
      }
    }),
  )
  agent.destroy()
}
