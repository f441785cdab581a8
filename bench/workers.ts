/**
 * Prints the throughput of one worker and of several, measured in turns, and the memory of each. The
 * load and Redis need a core of their own: on a machine with two cores, they limit two workers.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ours } from './contestants.ts'
import { putLoad } from './load.ts'
import type { Program } from './measured-process.ts'
import { residentMegabytes } from './process-facts.ts'
import { createSettings } from './settings.ts'
import { withPrograms } from './sitting.ts'
import { median } from './statistics.ts'

const WORKERS = Number(process.argv[2] ?? Math.max(2, availableParallelism()))
const ROUNDS = 5
const SECONDS = 4
/** Calls without a token need no store; calls with one need it each time. */
const KEYS = ['c', 'd']

const folder = mkdtempSync(join(tmpdir(), 'bench-workers-'))
const settings = createSettings(folder)
try {
  const rows = ours(await settings.make(30, 1000)).filter(({ key }) => KEYS.includes(key))
  const [first] = rows
  if (first === undefined) throw new Error('There is no such row')
  const programs = [1, WORKERS].map((count) => withWorkers(first.program, count))
  await withPrograms(programs, async (processOf) => {
    for (const { what, call } of rows) {
      const rates = programs.map(() => [] as number[])
      for (let round = -1; round < ROUNDS; round += 1) {
        for (const [at, program] of programs.entries()) {
          const { port, pid } = processOf(program)
          const { requests, seconds, failures } = await putLoad(call(port), SECONDS, pid)
          if (failures > 0) throw new Error(`${failures} of ${requests} calls failed`)
          if (round >= 0) rates[at]?.push(requests / seconds)
        }
      }
      const [one = [], several = []] = rates
      const ratio = median(several.map((rate, round) => rate / (one[round] ?? Number.NaN)))
      console.log(what)
      console.log(`  WORKERS=1: ${Math.round(median(one))} calls a second`)
      console.log(`  WORKERS=${WORKERS}: ${Math.round(median(several))}, × ${ratio.toFixed(2)}`)
    }
    for (const [at, program] of programs.entries()) {
      const { pid } = processOf(program)
      const sizes = [pid, ...childrenOf(pid)].map((each) => Math.round(residentMegabytes(each)))
      console.log(`Resident memory with WORKERS=${[1, WORKERS][at]}: ${sizes.join(' + ')} MB`)
    }
  })
} finally {
  await settings.close()
  rmSync(folder, { recursive: true, force: true })
}

/** Metrics of several workers need a port of their own. */
function withWorkers(program: Program, count: number): Program {
  const env = (port: number) => ({ ...program.env(port), WORKERS: String(count) })
  return { ...program, env }
}

function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(`${tasks}/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )
}
