/**
 * Prints the allocations of a call, what of it survives collections, and the number of files it
 * enters, by row. `--check` fails if a row exceeds path-bounds.json by more than a tenth, `--write`
 * writes that file, `--detail` lists the files.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measurePath, PATH_SESSIONS, type PathFigures } from './path.ts'
import { createSettings } from './settings.ts'

const BOUNDS = join(import.meta.dirname, 'path-bounds.json')
/**
 * Bound of what survives collections, in kB per call. A few calls are under way at each of them: 0.1
 * to 0.2; 2.5 when a map kept ended ones.
 */
const MOST_SURVIVING = 1
/** Tolerance for differences between versions of Node and packages. */
const ROOM = 1.1

type Bounds = Readonly<Record<string, { readonly kilobytes: number; readonly files: number }>>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    detail: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'call-path-'))
const settings = createSettings(folder)
try {
  const only = positionals.length > 0 ? { only: positionals } : {}
  const made = await settings.make(1, PATH_SESSIONS)
  const figures = await measurePath(made, only)
  for (const each of figures) print(each)
  if (values.write) writeFileSync(BOUNDS, `${JSON.stringify(boundsOf(figures), null, 2)}\n`)
  if (values.check) await check(figures, (keys) => measurePath(made, { only: keys }))
} finally {
  await settings.close()
  rmSync(folder, { recursive: true, force: true })
}

function print({ key, kilobytes, survivingKilobytes, byFile, files }: PathFigures): void {
  const surviving = `${survivingKilobytes.toFixed(2)} kB survive collections`
  console.log(`${key}: ${kilobytes.toFixed(1)} kB a call, ${surviving}, ${files.length} files`)
  if (!values.detail) return
  for (const [file, size] of byFile.slice(0, 45)) console.log(`   ${size.toFixed(2)}  ${file}`)
  console.log(files.join(' '))
}

function boundsOf(figures: readonly PathFigures[]): Bounds {
  return Object.fromEntries(
    figures.map(({ key, kilobytes, files }) => [
      key,
      { kilobytes: Math.ceil(kilobytes), files: files.length },
    ]),
  )
}

/**
 * Measures rows that exceed their bound again, up to twice: code that is not optimized yet allocates more,
 * which takes longer on a busy machine.
 */
async function check(
  figures: readonly PathFigures[],
  measure: (keys: readonly string[]) => Promise<readonly PathFigures[]>,
): Promise<void> {
  const bounds = JSON.parse(readFileSync(BOUNDS, 'utf8')) as Bounds
  let faults = faultsIn(figures, bounds)
  for (let again = 0; faults.length > 0 && again < 2; again += 1) {
    for (const { text } of faults) console.log(`${text}; measuring again`)
    const keys = [...new Set(faults.map(({ key }) => key))]
    faults = faultsIn(await measure(keys), bounds)
  }
  for (const { text } of faults) console.error(text)
  if (faults.length > 0) process.exitCode = 1
}

function faultsIn(figures: readonly PathFigures[], bounds: Bounds) {
  return figures.flatMap(({ key, kilobytes, survivingKilobytes, files }) => {
    const bound = bounds[key]
    if (bound === undefined) return [{ key, text: `${key}: path-bounds.json has no such row` }]
    return [
      [kilobytes, bound.kilobytes * ROOM, 'kB a call'] as const,
      [survivingKilobytes, MOST_SURVIVING, 'kB survive collections'] as const,
      [files.length, bound.files * ROOM, 'files'] as const,
    ]
      .filter(([found, most]) => found > most)
      .map(([found, most, unit]) => ({
        key,
        text: `${key}: ${found.toFixed(1)} ${unit}; at most ${most.toFixed(1)}`,
      }))
  })
}
