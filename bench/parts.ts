/** The parts of the benchmark, each a section of the results. */

import { floors, languagePeers, ourProjects, ours, peers, type Setting } from './contestants.ts'
import type { Language } from './languages.ts'
import { measureLatency } from './latency.ts'
import { measureMemory } from './memory.ts'
import type { BenchOptions, Part } from './options.ts'
import { measurePath, PATH_SESSIONS } from './path.ts'
import {
  growthTable,
  latencyTable,
  memoryTable,
  pathTable,
  scoreTable,
  startTable,
} from './report.ts'
import type { Settings } from './settings.ts'
import { sit, sitTogether } from './sitting.ts'
import { measureStartUp } from './start-up.ts'
import {
  growthTargets,
  latencyTargets,
  mainTargets,
  memoryTargets,
  type Outcome,
  pathTargets,
  startTargets,
} from './targets.ts'

/** The context of the measurements. */
interface Sitting {
  readonly options: BenchOptions
  /** The setting of most parts. */
  readonly usual: Setting
  readonly settings: Settings
  readonly languages: readonly Language[]
}

export interface PartResult {
  readonly part: Part
  readonly section: string
  readonly outcomes: readonly Outcome[]
}

const TOOLS = 30
const SESSIONS = 1000
const BRIEF_SESSIONS = 100
const BRIEF_CALLS = 300

/** Yields one section per requested part. */
export async function* measureParts(
  options: BenchOptions,
  settings: Settings,
  languages: readonly Language[],
): AsyncGenerator<PartResult, void, void> {
  const usual = await settings.make(TOOLS, options.brief ? BRIEF_SESSIONS : SESSIONS)
  for (const part of options.parts) {
    yield { part, ...(await measure[part]({ options, usual, settings, languages })) }
  }
}

type Measure = (sitting: Sitting) => Promise<Omit<PartResult, 'part'>>

const measure: Readonly<Record<Part, Measure>> = {
  async main({ options, usual, languages }) {
    const others = [...peers(usual), ...languagePeers(usual, languages)]
    const everybody = [...floors(usual), ...ours(usual), ...others]
    const scores = checked(await sit(everybody, options, reporterOf('main')))
    const title = `Full load, ${TOOLS} tools, ${usual.sessions.count.toLocaleString('en')} live sessions`
    return { section: section(title, scoreTable(scores)), outcomes: mainTargets(scores) }
  },

  async path({ options, settings }) {
    const calls = options.brief ? { calls: BRIEF_CALLS } : {}
    const figures = await measurePath(
      await settings.make(1, PATH_SESSIONS),
      calls,
      reporterOf('path'),
    )
    return {
      section: section('What a call allocates and enters', pathTable(figures)),
      outcomes: pathTargets(figures),
    }
  },

  async tools({ options, usual, settings }) {
    const all = options.toolCounts.map((count) => settings.withTools(usual, count))
    const groups = all.map((setting) => [
      ...ours(setting),
      ...(options.brief ? [] : peers(setting)),
    ])
    const scores = await sitTogether(groups, options, reporterOf('tools'))
    const columns = options.toolCounts.map((count, at) => ({
      count,
      scores: checked(scores[at] ?? []),
    }))
    return {
      section: section('With more tools', growthTable('tools', columns)),
      outcomes: growthTargets('tools', ['c', 'd', 'e', 'f', 'g'], 0.95, columns),
    }
  },

  async sessions({ options, settings }) {
    const all: Setting[] = []
    for (const count of options.sessionCounts) all.push(await settings.make(TOOLS, count))
    // The rows that look up a session by token.
    const known = (setting: Setting) =>
      [...floors(setting), ...ours(setting)].filter(({ key }) => 'bdfg'.includes(key))
    const scores = await sitTogether(all.map(known), options, reporterOf('sessions'))
    const columns = options.sessionCounts.map((count, at) => ({
      count,
      scores: checked(scores[at] ?? []),
    }))
    return {
      section: section('With more live sessions', growthTable('sessions', columns)),
      outcomes: growthTargets('sessions', ['d', 'f', 'g'], 0.93, columns),
    }
  },

  async latency({ options, usual }) {
    const all = [...floors(usual), ...ours(usual)]
    const contestants = all.filter(({ key }) => !options.brief || key === 'd')
    const { share, processes, warmUpSeconds } = options
    const seconds = options.brief ? 1 : options.seconds * 4
    const wanted = { share, processes, warmUpSeconds, seconds }
    const figures = checked(await measureLatency(contestants, wanted, reporterOf('latency')))
    return {
      section: section(`Latency at ${share * 100} % of full load`, latencyTable(figures)),
      outcomes: latencyTargets(figures),
    }
  },

  async start({ options, usual, languages }) {
    const own = ourProjects(usual)
    const others = [...peers(usual), ...languagePeers(usual, languages)]
    const contestants = [...floors(usual), ...own, ...others]
    const figures = await measureStartUp(
      options.brief ? own : contestants,
      options.processes * options.rounds,
    )
    return {
      section: section('From start to first answer', startTable(figures)),
      outcomes: startTargets(figures),
    }
  },

  async memory({ options, usual }) {
    const { processes, soakMinutes: minutes, brief } = options
    const wanted = { processes, minutes, streams: brief ? 50 : 1000, idleSeconds: brief ? 1 : 60 }
    const figures = await measureMemory(ourProjects(usual), wanted, reporterOf('memory'))
    checked([{ key: 'd', failures: figures.failures }])
    return {
      section: section('Memory of this server', memoryTable(figures)),
      outcomes: memoryTargets(figures),
    }
  },
}

function section(title: string, table: string): string {
  return `## ${title}\n\n${table}`
}

/**
 * Refuses results with failures: an incorrect response is not a fast one.
 * @throws Error that names the contestants with failures
 */
function checked<T extends { readonly key: string; readonly failures: number }>(
  figures: readonly T[],
): readonly T[] {
  const wrong = figures.filter(({ failures }) => failures > 0)
  if (wrong.length === 0) return figures
  const list = wrong.map(({ key, failures }) => `${key} (${failures})`).join(', ')
  throw new Error(`Requests that were not answered, or not right: ${list}`)
}

function reporterOf(part: Part): (line: string) => void {
  return (line) => console.error(`${part}: ${line}`)
}
