/** Finds declarations in emitted `.d.ts` files, whose form is regular: each begins at a line's start. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A name that a file has from another one; `file` is undefined for packages. */
interface Import {
  readonly name: string
  readonly file: string | undefined
  readonly statement: string
}

interface DeclarationFile {
  /** Texts by name: overloads of a function stand together. */
  readonly declared: ReadonlyMap<string, string>
  /** What may be named in it, or exported from it, and comes from elsewhere. */
  readonly imported: ReadonlyMap<string, Import>
  readonly exported: readonly string[]
  /** Files whose exports are all exported from here, too. */
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

/** Statements of a file; what is indented, or closes a bracket, goes on with the one before. */
function statementsOf(text: string): string[] {
  return text
    .replaceAll('"', "'")
    .split(/\n(?=[a-z])/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/** The names that an entry of the package exports, sorted. */
export function exportsOf(file: string): string[] {
  const { exported, stars } = readDeclarations(file)
  return [...new Set([...exported, ...stars.flatMap(exportsOf)])].sort()
}

/** Where a name that `file` exports or uses is declared; undefined for what is global. */
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

/** The declarations of our own that the text of one mentions. */
export function usedBy({ name: own, file, text }: Declaration): Declaration[] {
  if (file === undefined) return []
  const names = new Set(text.match(/\b[A-Z]\w+\b/g) ?? [])
  return [...names]
    .filter((name) => name !== own)
    .flatMap((name) => findDeclaration(file, name) ?? [])
    .filter((found) => found.file !== undefined)
}
