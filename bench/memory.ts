/** Measures memory: at rest, with open streams, and under sustained load. */

import { type ClientRequest, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant } from './contestants.ts'
import { putLoad } from './load.ts'
import { residentMegabytes } from './process-facts.ts'
import { withPrograms } from './sitting.ts'
import { median } from './statistics.ts'

export interface MemoryFigures {
  readonly atRest: readonly AtRest[]
  /** Additional memory per thousand open streams. */
  readonly perThousandStreams: number
  /** At the end of each fifth of the load. */
  readonly underLoad: readonly number[]
  readonly minutes: number
  readonly failures: number
}

/** Medians over the processes. */
interface AtRest {
  readonly key: string
  readonly what: string
  /** Shortly after the start, including garbage. */
  readonly started: number
  /** After an idle period, in which V8 releases unused memory. */
  readonly idle: number
}

const SETTLE_MS = 3000
const PORTIONS = 5

export interface MemoryOptions {
  /** The number of concurrent processes of each program for the figures at rest. */
  readonly processes: number
  readonly streams: number
  readonly minutes: number
  /** The idle period before the measurement; V8 takes up to half a minute to release memory. */
  readonly idleSeconds: number
}

/**
 * Resident memory in megabytes: of all at rest, and of the first with streams and under load.
 * Streams are `subscriptions/listen`, opened as clients do.
 */
export async function measureMemory(
  contestants: readonly Contestant[],
  options: MemoryOptions,
  report: (line: string) => void,
): Promise<MemoryFigures> {
  const [first] = contestants
  if (first === undefined) throw new Error('Nobody to measure')
  const atRest = await measureAtRest(contestants, options)
  report('at rest')
  return { atRest, ...(await measureInUse(first, options, report)) }
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
  report: (line: string) => void,
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
      report(`load ${portion} of ${PORTIONS}`)
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

/** Opens a stream; resolves when the server's response starts. */
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
