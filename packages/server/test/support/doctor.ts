/** Runs the doctor, in this process or as a separate one, and returns its findings. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { inject } from 'vitest'
import { parseArguments } from '../../../doctor/src/arguments.ts'
import { examine } from '../../../doctor/src/examine.ts'
import type { CheckReport, Finding, Verdict } from '../../../doctor/src/findings.ts'
import { firstFacts } from '../../../doctor/src/visit.ts'

/** The commands `doctor` and `token`, bundled from their sources. */
const COMMANDS = join(inject('serverFolder'), 'doctor')
export const DOCTOR = join(COMMANDS, 'doctor.js')
export const TOKEN = join(COMMANDS, 'token.js')

/** A finding with the check it belongs to. */
export interface Diagnosis extends Finding {
  readonly check: string
}

/** Examines a server in this process. Streams are held for a second unless `args` say otherwise. */
export async function examineServer(url: string, ...args: string[]): Promise<readonly Diagnosis[]> {
  const { json: _, ...options } = parseArguments([url, '--hold', '1', ...args])
  const visit = { ...options, say: () => undefined, facts: firstFacts(undefined) }
  return diagnosesIn(await examine(visit, () => undefined))
}

export function diagnosesIn(reports: readonly CheckReport[]): readonly Diagnosis[] {
  return reports.flatMap(({ check, findings }) => findings.map((each) => ({ check, ...each })))
}

/** The findings with some verdicts, as text. */
export function withVerdict(
  diagnoses: readonly Diagnosis[],
  ...verdicts: Verdict[]
): readonly string[] {
  return diagnoses
    .filter(({ verdict }) => verdicts.includes(verdict))
    .map(({ check, what, mend = '' }) => `${check}: ${what} → ${mend}`)
}

/** Starts `npm run doctor`; its output can be read while it runs. */
export function startDoctor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [DOCTOR, ...args], {
    env: { PATH: process.env.PATH, ...env },
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  return { said, ended: once(child, 'close').then(([code]) => code as number | null) }
}

/** Runs `npm run doctor` to completion. */
export async function runDoctor(...given: Parameters<typeof startDoctor>) {
  const { said, ended } = startDoctor(...given)
  const code = await ended
  return { code, ...said }
}
