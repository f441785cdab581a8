/** The parts of the benchmark, each a section of the results. */

import { floors, ours, peers, type Setting } from './contestants.ts'
import { measureLatency } from './latency.ts'
import { measureMemory } from './memory.ts'
import type { BenchOptions, Part } from './options.ts'
import { growthTable, latencyTable, memoryTable, scoreTable, startTable } from './report.ts'
import type { Settings } from './settings.ts'
import { sit, sitTogether } from './sitting.ts'
import { measureStartUp } from './start-up.ts'

type MeasurePart = (options: BenchOptions, usual: Setting, settings: Settings) => Promise<string>

const TOOLS = 30
const SESSIONS = 1000
const BRIEF_SESSIONS = 100

/** Gives a section for each part that is asked for. */
export async function* measureParts(
  options: BenchOptions,
  settings: Settings,
): AsyncGenerator<string, void, void> {
  const usual = await settings.make(TOOLS, options.brief ? BRIEF_SESSIONS : SESSIONS)
  for (const part of options.parts) yield await measure[part](options, usual, settings)
}

const measure: Readonly<Record<Part, MeasurePart>> = {
  async main(options, usual) {
    const everybody = [...floors(usual), ...ours(usual), ...peers(usual)]
    const scores = checked(await sit(everybody, options, tell('main')))
    const title = `Full load, ${TOOLS} tools, ${usual.sessions.count.toLocaleString('en')} live sessions`
    return section(title, scoreTable(scores))
  },

  async tools(options, usual, settings) {
    const all = options.toolCounts.map((count) => settings.withTools(usual, count))
    const groups = all.map((setting) => [...floors(setting), ...ours(setting), ...peers(setting)])
    const scores = await sitTogether(groups, options, tell('tools'))
    const columns = options.toolCounts.map((count, at) => ({
      count,
      scores: checked(scores[at] ?? []),
    }))
    return section('With more tools', growthTable('tools', columns))
  },

  async sessions(options, _usual, settings) {
    const all: Setting[] = []
    for (const count of options.sessionCounts) all.push(await settings.make(TOOLS, count))
    // Without those who know no sessions.
    const known = (setting: Setting) =>
      [...floors(setting), ...ours(setting)].filter(({ key }) => key !== 'a' && key !== 'c')
    const scores = await sitTogether(all.map(known), options, tell('sessions'))
    const columns = options.sessionCounts.map((count, at) => ({
      count,
      scores: checked(scores[at] ?? []),
    }))
    return section('With more live sessions', growthTable('sessions', columns))
  },

  async latency(options, usual) {
    const all = [...floors(usual), ...ours(usual)]
    const contestants = all.filter(({ key }) => !options.brief || key === 'd')
    const { share } = options
    const wanted = { share, seconds: options.brief ? 1 : options.seconds * 2 }
    const figures = checked(await measureLatency(contestants, wanted, tell('latency')))
    return section(`Latency at ${share * 100} % of full load`, latencyTable(figures))
  },

  async start(options, usual) {
    const [own] = ours(usual)
    const contestants = [...floors(usual), ...(own ? [own] : []), ...peers(usual)]
    const figures = await measureStartUp(contestants, options.rounds)
    return section('From start to first answer', startTable(figures))
  },

  async memory(options, usual) {
    const withToken = ours(usual).find(({ key }) => key === 'd')
    if (withToken === undefined) throw new Error('Nobody to measure')
    const streams = options.brief ? 50 : 1000
    const wanted = { streams, minutes: options.soakMinutes, idleSeconds: options.brief ? 1 : 60 }
    const figures = await measureMemory(withToken, wanted, tell('memory'))
    checked([{ ...withToken, failures: figures.failures }])
    return section('Memory of this server', memoryTable(figures))
  },
}

function section(title: string, table: string): string {
  return `## ${title}\n\n${table}`
}

/**
 * A wrong answer is not a quick one.
 * @throws Error that says who gave any
 */
function checked<T extends { readonly key: string; readonly failures: number }>(
  figures: readonly T[],
): readonly T[] {
  const wrong = figures.filter(({ failures }) => failures > 0)
  if (wrong.length === 0) return figures
  const list = wrong.map(({ key, failures }) => `${key} (${failures})`).join(', ')
  throw new Error(`Requests that were not answered, or not right: ${list}`)
}

function tell(part: Part): (line: string) => void {
  return (line) => console.error(`${part}: ${line}`)
}
