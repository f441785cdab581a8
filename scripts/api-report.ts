/**
 * Writes packages/server/api.md: the exports of `@mcp-template/server` and the types that they
 * mention, so that reviews see every change of the API. `--check` writes nothing and fails if the
 * file is out of date.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Declaration, exportsOf, findDeclaration, usedBy } from './api-report/declarations.ts'

const ROOT = join(import.meta.dirname, '..')
const PACKAGE = join(ROOT, 'packages/server')
const REPORT = join(PACKAGE, 'api.md')

interface Entry {
  readonly types?: string
}

/** Emits the declarations without comments, which are not part of the API. */
function emitDeclarations(folder: string): void {
  const emitted = ['--emitDeclarationOnly', '--declaration', '--removeComments']
  const into = ['--outDir', join(folder, 'dist'), '--tsBuildInfoFile', join(folder, 'info')]
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', PACKAGE, ...emitted, ...into], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

function report(folder: string): string {
  const { name, exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly exports: Readonly<Record<string, Entry | string>>
  }
  const parts = ['# API of @mcp-template/server', '<!-- Written by `npm run api`; do not edit. -->']
  const shown = new Set<string>()
  const exported: Declaration[] = []
  for (const [path, entry] of Object.entries(exports)) {
    if (typeof entry === 'string' || entry.types === undefined) continue
    const file = join(folder, entry.types)
    const found = exportsOf(file).map((each) => declarationIn(file, each))
    exported.push(...found)
    parts.push(`## \`${path.replace('.', name)}\``, listing(found, shown))
  }
  parts.push('## Types that these mention', listing(mentionedBy(exported), shown))
  return `${parts.join('\n\n')}\n`
}

function declarationIn(file: string, name: string): Declaration {
  const found = findDeclaration(file, name)
  if (found === undefined) throw new Error(`${file} exports ${name}, which is declared nowhere`)
  return found
}

/** The declarations that the given ones mention, transitively, sorted by name. */
function mentionedBy(given: readonly Declaration[]): Declaration[] {
  const found = new Map(given.map((each) => [keyOf(each), each]))
  for (const each of found.values()) {
    for (const used of usedBy(each)) if (!found.has(keyOf(used))) found.set(keyOf(used), used)
  }
  for (const each of given) found.delete(keyOf(each))
  return [...found.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

function keyOf({ name, file }: Declaration): string {
  return `${name} ${file}`
}

/** The code of the declarations; names only those that an earlier section shows. */
function listing(declarations: readonly Declaration[], shown: Set<string>): string {
  const texts = declarations.map((each) => {
    const isShown = shown.has(keyOf(each))
    shown.add(keyOf(each))
    return isShown ? `// ${each.name}: see above` : each.text
  })
  return ['```ts', texts.join('\n\n'), '```'].join('\n')
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const folder = mkdtempSync(join(tmpdir(), 'api-'))
try {
  emitDeclarations(folder)
  const written = report(folder)
  if (!process.argv.includes('--check')) {
    writeFileSync(REPORT, written)
  } else if (read(REPORT) !== written) {
    console.error('packages/server/api.md is out of date: run npm run api')
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
