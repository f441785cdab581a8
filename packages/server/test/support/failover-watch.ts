/** Observes three nodes through clients during an event on their Redis servers, and measures its cost. */

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { ChangeWatchers } from './change-watchers.ts'
import { listen, listenTo } from './event-reader.ts'
import { type CallerReport, type SteadyCallers, UNAVAILABLE } from './steady-callers.ts'
import type { ThreeNodes } from './three-nodes.ts'
import { connect, type Message, post, request } from './wire.ts'

type WatchedNodes = Pick<ThreeNodes, 'urls' | 'logs'>

export interface Watched {
  readonly nodes: WatchedNodes
  readonly callers: SteadyCallers
  readonly watchers: ChangeWatchers
}

export interface Seen {
  readonly reports: readonly CallerReport[]
  /** The number of failed readiness probes per node. */
  readonly unready: readonly number[]
}

/** Long enough to serve every caller and every stream before and after. */
const SETTLE_MS = 1500
const STEPS = { steps: 12, everyMs: 400 }

/**
 * Triggers an event under load. Expects no permanent failure and, unless it may lose
 * writes, that no stream misses an entry of the store: neither changes, nor the progress of a
 * running call.
 */
export async function watch(
  { nodes, callers, watchers }: Watched,
  event: () => Promise<void>,
  { mayLose = false } = {},
): Promise<Seen> {
  const stopCallers = callers.start()
  const stopAnnouncing = watchers.start()
  const stopProbing = probeReadiness(nodes)
  const refusedBefore = refusals(nodes)
  const follow = mayLose ? async () => [] : await startCall(nodes)
  const following = follow()
  // Awaited only after the event.
  following.catch(() => undefined)
  await sleep(SETTLE_MS)
  await event()
  await sleep(SETTLE_MS)
  const announced = await stopAnnouncing()
  const unready = await stopProbing()
  const reports = await stopCallers()
  const faults = reports.flatMap((report) => report.faults)
  // `invalid_grant`: the store has lost the refresh.
  const isExpected = (fault: string) =>
    UNAVAILABLE.test(fault) || (mayLose && fault.startsWith('400 '))
  expect([...new Set(faults)].filter((fault) => !isExpected(fault))).toEqual([])
  if (mayLose) return { reports, unready }
  await watchers.expectHeard(announced)
  const received = await following
  expect(received).toEqual([...new Set(received)].sort((one, other) => one - other))
  // Entries that the store refused cannot be replayed.
  expect(STEPS.steps - received.length).toBeLessThanOrEqual(refusals(nodes) - refusedBefore)
  return { reports, unready }
}

/** Polls all nodes; returns the number of failed probes per node. */
function probeReadiness({ urls }: WatchedNodes) {
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

/**
 * Starts a call, and waits for its first progress. The returned function resolves to all progress
 * until its response: read at the node that runs it for the first half, then at another one, where the
 * client resumes whenever its stream is interrupted.
 */
async function startCall({
  urls: [a, b],
}: WatchedNodes): Promise<() => Promise<readonly number[]>> {
  const headers = await connect(a)
  const params = { name: 'steps', arguments: STEPS, _meta: { progressToken: 'p' } }
  const call = request('tools/call', params, 'steps')
  const first = await listenTo((signal) => post(a, call, headers, signal))
  const untilStep = (step: number) =>
    first.until(({ message }) => message?.params?.progress === step, 60_000)
  await untilStep(1)

  return async () => {
    // Its stream may be interrupted before.
    await untilStep(STEPS.steps / 2).catch(() => undefined)
    first.close()
    const received = [...first.messages]
    let lastId = first.lastId ?? ''
    const isAnswered = () =>
      received.some(({ id, method }) => id === 'steps' && method === undefined)
    while (!isAnswered()) {
      const next = await listen(`${b}/mcp`, { ...headers, 'last-event-id': lastId })
      expect([200, 503]).toContain(next.response.status)
      await next.ended
      received.push(...next.messages)
      lastId = next.lastId ?? lastId
      await sleep(500)
    }
    return progressIn(received)
  }
}

function progressIn(messages: readonly Message[]): readonly number[] {
  return messages.flatMap(({ method, params }) =>
    method === 'notifications/progress' ? [Number(params?.progress)] : [],
  )
}

/** The number of call events that the store has refused so far. */
function refusals(nodes: WatchedNodes): number {
  return nodes.logs().split('event not stored; it cannot be replayed').length - 1
}

/** The failures of callers without keys in these slots. */
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

/** The cost of an event as text; with `FAILOVER_FIGURES` also appended to that file. */
export function recordFigures(
  topology: Figures['topology'],
  event: string,
  { reports }: Seen,
): string {
  const sum = (of: (report: CallerReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0)
  const longestMs = Math.max(...reports.map((report) => report.longestMs))
  const figures: Figures = {
    ...{ topology, event, seconds: Math.round(longestMs / 100) / 10 },
    calls: sum(({ calls }) => calls),
    failed: sum(({ faults }) => faults.length),
    lost: sum(({ lost }) => lost.length),
  }
  const text = JSON.stringify(figures)
  const file = process.env.FAILOVER_FIGURES
  if (file !== undefined) appendFileSync(file, `${text}\n`)
  return text
}
