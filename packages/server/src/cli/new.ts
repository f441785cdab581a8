/**
 * `mcp-template new tool|resource|prompt|hook [FOLDER/]NAME`: writes files that pass all checks.
 */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { findServerFile, noServerFile } from '../server-file.ts'
import { readCommandLine, UsageError } from './command-line.ts'
import {
  hookTemplate,
  promptTemplate,
  promptTestTemplate,
  resourceTemplate,
  resourceTestTemplate,
  testTemplate,
  toolTemplate,
} from './templates.ts'
import { writeFiles } from './write-files.ts'

/** Valid as a tool name (SEP-986) and as a file name on every system. */
const NAME = /^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/
const LONGEST_NAME = 64

type Files = Readonly<Record<string, string>>

/** The files of each kind, by path in the source folder; `mcp` imports the project's `mcp.ts`. */
const kinds: Readonly<Record<string, (path: string, name: string, mcp?: string) => Files>> = {
  tool: (path, name, mcp) => ({
    [`tools/${path}.ts`]: toolTemplate(name, mcp),
    [`tools/${path}.test.ts`]: testTemplate(name),
  }),
  resource: (path, name, mcp) => ({
    [`resources/${path}.ts`]: resourceTemplate(name, mcp),
    [`resources/${path}.test.ts`]: resourceTestTemplate(name),
  }),
  prompt: (path, name, mcp) => ({
    [`prompts/${path}.ts`]: promptTemplate(name, mcp),
    [`prompts/${path}.test.ts`]: promptTestTemplate(name),
  }),
  hook: (path, name, mcp) => ({ [`hooks/${path}.ts`]: hookTemplate(name, mcp) }),
}

/**
 * Writes all files or none.
 * @throws UsageError
 */
export async function writeNew(args: readonly string[]): Promise<void> {
  if (firstWord(args) === 'tools') return (await import('./new-tools.ts')).writeNewTools(args)
  const { project, positionals } = readCommandLine(args)
  const [kind = '', path, ...more] = positionals
  const filesOf = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (filesOf === undefined) {
    throw new UsageError(`Name what to create: ${Object.keys(kinds).join(', ')}.`)
  }
  if (path === undefined) throw new UsageError(`Name the ${kind}: [FOLDER/]NAME`)
  if (more.length > 0) throw new UsageError(`One ${kind} at a time: [FOLDER/]NAME`)
  const name = checkName(kind, path)
  const source = sourceOf(project)
  const files = Object.fromEntries(
    Object.entries(filesOf(path, name, mcpOf(project, source, path))).map(([file, content]) => [
      `${source}${file}`,
      content,
    ]),
  )
  const taken = Object.keys(files).filter((file) => existsSync(join(project, file)))
  if (taken.length > 0) {
    throw new UsageError(`${taken.join(' and ')} ${taken.length > 1 ? 'exist' : 'exists'} already.`)
  }
  writeFiles(project, files)
  const [, test] = Object.keys(files)
  const steps = test === undefined ? HINTS[kind] : `npx vitest run ${test}`
  const next = steps === undefined ? '' : `\nNext: ${steps}`
  console.log(`Wrote ${Object.keys(files).join(' and ')}.${next}`)
}

/** The remaining step for kinds that are not discovered by their folder. */
const HINTS: Readonly<Record<string, string>> = {
  hook: 'import it in src/server.ts, and list it in `hooks` of `defineServer`.',
}

/** The import path of the project's `mcp.ts` from a new file; undefined if there is none. */
function mcpOf(project: string, source: string, path: string): string | undefined {
  if (!existsSync(join(project, `${source}mcp.ts`))) return undefined
  return `${'../'.repeat(path.split('/').length)}mcp.ts`
}

/** `src/`, or empty if the declaration is at the root; files elsewhere would not be loaded. */
function sourceOf(project: string): string {
  const file = findServerFile(project)
  if (file === undefined) throw new UsageError(noServerFile(project))
  return dirname(file) === project ? '' : 'src/'
}

function checkName(kind: string, path: string): string {
  const parts = path.split('/')
  if (parts.some((part) => part.length > LONGEST_NAME || !NAME.test(part))) {
    throw new UsageError(
      `"${path}" cannot be a ${kind}'s name. Use up to ${LONGEST_NAME} lower-case letters and digits, a letter first, with single "-" or "_" in between; folders before it, with "/".`,
    )
  }
  return parts.at(-1) ?? ''
}

/** Read before the options: `new tools` has options of its own. */
function firstWord(args: readonly string[]): string | undefined {
  const options = { project: { type: 'string' } } as const
  const lenient = { options, strict: false, allowPositionals: true }
  return parseArgs({ args: [...args], ...lenient }).positionals[0]
}
