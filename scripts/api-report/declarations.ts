/**
 * Finds declarations in emitted `.d.ts` files, which are regular: each starts at the start of a
 * line.
 */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** An imported name; `file` is undefined for packages. */
interface Import {
  readonly name: string
  readonly file: string | undefined
  readonly statement: string
}

interface DeclarationFile {
  /** Declaration texts by name; overloads of a function are joined. */
  readonly declared: ReadonlyMap<string, string>
  /** Names that the file imports or re-exports. */
  readonly imported: ReadonlyMap<string, Import>
  readonly exported: readonly string[]
  /** Files that this file re-exports with `export *`. */
  readonly stars: readonly string[]
}

export interface Declaration {
  readonly name: string
  readonly file: string | undefined
  readonly text: string
}

const DECLARATION =
  /^(?:export )?(?:declare )?(?:abstract )?(?:function|const|class|interface|type|enum) (\w+)/

const files = new Map<string, DeclarationFile>()

function readDeclarations(file: string): DeclarationFile {
  const known = files.get(file)
  if (known !== undefined) return known
  const declared = new Map<string, string>()
  const imported = new Map<string, Import>()
  const exported: string[] = []
  const stars: string[] = []
  for (const statement of statementsOf(readFileSync(file, 'utf8'))) {
    const [, from] = / from '([^']+)';$/.exec(statement) ?? []
    const source = from?.startsWith('.')
      ? join(dirname(file), from.replace(/\.ts$/, '.d.ts'))
      : undefined
    if (/^export (?:type )?\* from/.test(statement) && source !== undefined) stars.push(source)
    const [, kind, names] = /^(import|export) (?:type )?\{([^}]*)\}/s.exec(statement) ?? []
    for (const part of (names ?? '').split(',')) {
      const [name = '', alias = name] = part
        .trim()
        .replace(/^type /, '')
        .split(' as ')
      if (name === '') continue
      if (from !== undefined)
        imported.set(alias, { name, file: source, statement: `export { ${name} } from '${from}';` })
      if (kind === 'export') exported.push(alias)
    }
    const [, name] = DECLARATION.exec(statement) ?? []
    if (name === undefined) continue
    const earlier = declared.get(name)
    declared.set(name, earlier === undefined ? statement : `${earlier}\n${statement}`)
    if (statement.startsWith('export ')) exported.push(name)
  }
  const read = { declared, imported, exported, stars }
  files.set(file, read)
  return read
}

/** The statements of a file; an indented line or a closing bracket continues the previous one. */
function statementsOf(text: string): string[] {
  return text
    .replaceAll('"', "'")
    .split(/\n(?=[a-z])/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/** The names that an entry point of the package exports, sorted. */
export function exportsOf(file: string): string[] {
  const { exported, stars } = readDeclarations(file)
  return [...new Set([...exported, ...stars.flatMap(exportsOf)])].sort()
}

/** Finds the declaration of a name that `file` exports or uses; undefined for globals. */
export function findDeclaration(file: string, name: string): Declaration | undefined {
  const { declared, imported, stars } = readDeclarations(file)
  const text = declared.get(name)
  if (text !== undefined) return { name, file, text }
  const found = imported.get(name)
  if (found?.file !== undefined) return findDeclaration(found.file, found.name)
  if (found !== undefined) return { name, file: undefined, text: found.statement }
  for (const star of stars) {
    const further = findDeclaration(star, name)
    if (further !== undefined) return further
  }
  return undefined
}

/** The package's own declarations that a declaration mentions. */
export function usedBy({ name: own, file, text }: Declaration): Declaration[] {
  if (file === undefined) return []
  const names = new Set(text.match(/\b[A-Z]\w+\b/g) ?? [])
  return [...names]
    .filter((name) => name !== own)
    .flatMap((name) => findDeclaration(file, name) ?? [])
    .filter((found) => found.file !== undefined)
}
