/** Everything that clients see of three nodes while something happens to their Redis servers, and the figures. */

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { ChangeWatchers } from './change-watchers.ts'
import { answering, listen, listenTo } from './event-reader.ts'
import { type CallerReport, type SteadyCallers, UNAVAILABLE } from './steady-callers.ts'
import type { ThreeNodes } from './three-nodes.ts'
import { connect, type Message, post, request } from './wire.ts'

export interface Watched {
  readonly nodes: ThreeNodes
  readonly callers: SteadyCallers
  readonly watchers: ChangeWatchers
}

export interface Seen {
  readonly reports: readonly CallerReport[]
  /** How often each node was not ready. */
  readonly unready: readonly number[]
}

/** Long enough that every caller and every stream has been served before and after. */
const SETTLE_MS = 1500
const STEPS = { steps: 12, everyMs: 400 }

/**
 * Lets something happen under load. Expects that nobody is refused for good, that no stream misses
 * anything, and that a call that is under way tells all of its progress.
 */
export async function watch({ nodes, callers, watchers }: Watched, event: () => Promise<void>) {
  const stopCallers = callers.start()
  const stopAnnouncing = watchers.start()
  const stopProbing = probeReadiness(nodes)
  const progress = followCall(nodes)
  await sleep(SETTLE_MS)
  await event()
  await sleep(SETTLE_MS)
  const announced = await stopAnnouncing()
  const unready = await stopProbing()
  const reports = await stopCallers()
  const faults = reports.flatMap((report) => report.faults)
  expect([...new Set(faults)].filter((fault) => !UNAVAILABLE.test(fault))).toEqual([])
  await watchers.expectHeard(announced)
  expect(await progress).toEqual(Array.from({ length: STEPS.steps }, (_, step) => step + 1))
  return { reports, unready }
}

/** Polls all nodes; gives how often each was not ready. */
function probeReadiness({ urls }: ThreeNodes) {
  const unready = urls.map(() => 0)
  const stopping = new AbortController()
  const probe = async (url: string, at: number) => {
    while (!stopping.signal.aborted) {
      const { ok } = await fetch(`${url}/readyz`)
      if (!ok) unready[at] = (unready[at] ?? 0) + 1
      await sleep(250)
    }
  }
  const running = urls.map(probe)
  return async () => {
    stopping.abort()
    await Promise.all(running)
    return unready
  }
}

/** The progress of a call, read at the node that runs it until half of it, then at another. */
async function followCall({ urls: [a, b] }: ThreeNodes): Promise<readonly unknown[]> {
  const headers = await connect(a)
  const params = { name: 'steps', arguments: STEPS, _meta: { progressToken: 'p' } }
  const call = request('tools/call', params, 'steps')
  const first = await listenTo((signal) => post(a, call, headers, signal))
  const half = STEPS.steps / 2
  await first.until(({ message }) => message?.params?.progress === half, 60_000)
  first.close()
  const second = await untilResumed(() =>
    listen(`${b}/mcp`, { ...headers, 'last-event-id': first.lastId ?? '' }),
  )
  await second.until(answering('steps'), 60_000)
  return progressIn([...first.messages, ...second.messages])
}

/** Clients come back until they are served. */
async function untilResumed<Stream extends { readonly response: Response }>(
  resume: () => Promise<Stream>,
): Promise<Stream> {
  for (;;) {
    const stream = await resume()
    if (stream.response.status !== 503) return stream
    await sleep(500)
  }
}

function progressIn(messages: readonly Message[]): readonly unknown[] {
  return messages.flatMap(({ method, params }) =>
    method === 'notifications/progress' ? [params?.progress] : [],
  )
}

/** The faults of callers none of whose keys is in these slots. */
export function faultsOfOthers(
  reports: readonly CallerReport[],
  isAffected: (tag: string) => boolean,
): readonly string[] {
  const others = reports.filter(({ tags }) => tags.length > 0 && !tags.some(isAffected))
  expect(others.length).toBeGreaterThan(0)
  return others.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`))
}

export const lostWrites = (reports: readonly CallerReport[]) =>
  reports.flatMap(({ name, lost }) => lost.map((each) => `${name}: ${each}`))

/** One line of the table in docs/redis.md. */
export interface Figures {
  readonly topology: 'cluster' | 'sentinel'
  readonly event: string
  readonly seconds: number
  readonly calls: number
  readonly failed: number
  readonly lost: number
}

/** Records what an event cost: with `FAILOVER_FIGURES`, in that file. */
export function recordFigures(
  topology: Figures['topology'],
  event: string,
  { reports }: Seen,
): Figures {
  const sum = (of: (report: CallerReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0)
  const longestMs = Math.max(...reports.map((report) => report.longestMs))
  const figures = {
    ...{ topology, event, seconds: Math.round(longestMs / 100) / 10 },
    calls: sum(({ calls }) => calls),
    failed: sum(({ faults }) => faults.length),
    lost: sum(({ lost }) => lost.length),
  }
  const file = process.env.FAILOVER_FIGURES
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figures)}\n`)
  return figures
}
