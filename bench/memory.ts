/** What the server holds: at rest, with streams that wait, and after a long load. */

import { type ClientRequest, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant } from './contestants.ts'
import { putLoad } from './load.ts'
import { residentMegabytes } from './process-facts.ts'
import { withPrograms } from './sitting.ts'
import { median } from './statistics.ts'

export interface MemoryFigures {
  readonly atRest: readonly AtRest[]
  /** What it takes more while so many streams are open, for each thousand. */
  readonly perThousandStreams: number
  /** At the end of each fifth of the load. */
  readonly underLoad: readonly number[]
  readonly minutes: number
  readonly failures: number
}

/** Medians over processes. */
interface AtRest {
  readonly key: string
  readonly what: string
  /** A moment after the start, which leaves garbage. */
  readonly started: number
  /** Some time later, with nothing to do: V8 gives back what it does not need. */
  readonly idle: number
}

const SETTLE_MS = 3000
const PORTIONS = 5

export interface MemoryOptions {
  /** How many of each are up at a time for the figures at rest. */
  readonly processes: number
  readonly streams: number
  readonly minutes: number
  /** How long there is nothing to do before it counts as idle. V8 takes up to half a minute. */
  readonly idleSeconds: number
}

/**
 * Figures in megabytes of resident memory: of all at rest, then of the first with streams and under load.
 * Streams are `subscriptions/listen`, as clients open them.
 */
export async function measureMemory(
  contestants: readonly Contestant[],
  options: MemoryOptions,
  tell: (line: string) => void,
): Promise<MemoryFigures> {
  const [first] = contestants
  if (first === undefined) throw new Error('Nobody to measure')
  const atRest = await measureAtRest(contestants, options)
  tell('at rest')
  return { atRest, ...(await measureInUse(first, options, tell)) }
}

async function measureAtRest(
  contestants: readonly Contestant[],
  { processes, idleSeconds }: MemoryOptions,
): Promise<AtRest[]> {
  const copies = contestants.map(({ key, what, program }) => ({
    ...{ key, what },
    programs: Array.from({ length: processes }, () => ({ ...program })),
  }))
  const all = copies.flatMap(({ programs }) => programs)
  return withPrograms(all, async (processOf) => {
    const resident = () =>
      copies.map(({ programs }) =>
        median(programs.map((each) => residentMegabytes(processOf(each).pid))),
      )
    await delay(SETTLE_MS)
    const started = resident()
    await delay(idleSeconds * 1000)
    const idle = resident()
    return copies.map(({ key, what }, at) => ({
      ...{ key, what },
      ...{ started: started[at] ?? Number.NaN, idle: idle[at] ?? Number.NaN },
    }))
  })
}

async function measureInUse(
  { program, call }: Contestant,
  { streams, minutes, idleSeconds }: MemoryOptions,
  tell: (line: string) => void,
): Promise<Omit<MemoryFigures, 'atRest'>> {
  return withPrograms([program], async (processOf) => {
    const { pid, port } = processOf(program)
    await delay(SETTLE_MS + idleSeconds * 1000)
    const before = residentMegabytes(pid)
    const open = await Promise.all(Array.from({ length: streams }, () => listen(port)))
    await delay(idleSeconds * 1000)
    const perThousandStreams = ((residentMegabytes(pid) - before) / streams) * 1000
    for (const each of open) each.destroy()
    const underLoad: number[] = []
    let failures = 0
    for (let portion = 1; portion <= PORTIONS; portion += 1) {
      const load = await putLoad(call(port), (minutes * 60) / PORTIONS, pid)
      failures += load.failures
      underLoad.push(residentMegabytes(pid))
      tell(`load ${portion} of ${PORTIONS}`)
    }
    return { perThousandStreams, underLoad, minutes, failures }
  })
}

const LISTEN = JSON.stringify({
  ...{ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' },
  params: {
    notifications: { toolsListChanged: true },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
})

/** Opens a stream, and resolves when the server has begun to answer on it. */
function listen(port: number): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    }
    const options = { port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers, agent: false }
    const stream = request(options, (response) => {
      response.on('error', () => undefined)
      if (response.headers['content-type']?.startsWith('text/event-stream')) resolve(stream)
      else reject(new Error(`A stream was answered with ${response.statusCode}`))
      response.resume()
    })
    stream.once('error', reject)
    stream.end(LISTEN)
  })
}
