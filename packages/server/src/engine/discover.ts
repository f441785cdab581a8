/** Discovers the project's declaration files at startup, and reports all their faults, by file. */

import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CompiledPrompt, compilePrompt } from './compile-prompt.ts'
import { type CompiledResource, compileResource } from './compile-resource.ts'
import { type CompiledTool, compileTool } from './compile-tool.ts'
import { listDeclarations, settleInTime, type Waiting } from './declaration-files.ts'
import type { AnyPrompt } from './define-prompt.ts'
import type { AnyResource } from './define-resource.ts'
import type { AnyTool } from './define-tool.ts'
import { loadSkills, type ServerExtension } from './extensions.ts'

export interface Catalog {
  readonly tools: ReadonlyMap<string, CompiledTool>
  readonly resources: readonly CompiledResource[]
  readonly prompts: readonly CompiledPrompt[]
  /** The skills extension of `skills/`, and the declared extensions; none if left out. */
  readonly extensions?: readonly ServerExtension[]
  /** Names of the skills; none if left out. */
  readonly skills?: readonly string[]
  /** Files that were skipped, such as `tools/_money.ts`, with the reason. */
  readonly skipped: readonly SkippedFile[]
}

export interface SkippedFile {
  readonly file: string
  readonly reason: string
}

/** Lists all invalid files with their faults. */
export class DiscoveryError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(
      `Cannot load:\n${faults.map((fault) => `  - ${fault.replaceAll('\n', '\n    ')}`).join('\n')}`,
    )
    this.name = 'DiscoveryError'
    this.faults = faults
  }
}

/** Tools that do not come from files, by their source's name in messages. */
export type FurtherTools = Readonly<Record<string, readonly AnyTool[]>>

export interface DiscoverOptions extends Waiting {
  readonly further?: FurtherTools
}

/**
 * Loads `tools/`, `resources/`, `prompts/` and `skills/` below `directory`, sorted by name, so that
 * lists have a stable order (2026-07-28, server/tools, "Listing Tools").
 * @throws DiscoveryError
 */
export async function discover(
  directory: string,
  { further = {}, ...waiting }: DiscoverOptions = {},
): Promise<Catalog> {
  if (!(await isFolder(directory))) {
    throw new DiscoveryError([`${directory}: there is no such folder`])
  }
  const found: Findings = { faults: [], skipped: [] }
  const { faults } = found
  const load = <T>(folder: string, check: (exported: unknown) => T) =>
    loadFolder(join(directory, folder), found, check, waiting)
  const ofFurther = Object.entries(further).flatMap(([file, tools]) =>
    tools.map((tool) => ({ file, value: compileTool(tool) })),
  )
  const ofFiles = await load('tools', (exported) => compileTool(exported as AnyTool))
  const tools = [...ofFurther, ...ofFiles]
  const resources = await load('resources', (exported) => compileResource(exported as AnyResource))
  const prompts = await load('prompts', (exported) => compilePrompt(exported as AnyPrompt))
  refuseTwice(tools, ({ definition }) => definition.name, faults)
  refuseTwice(resources, ({ name }) => name, faults)
  refuseTwice(resources, ({ uri }) => uri, faults)
  refuseTwice(prompts, ({ name }) => name, faults)
  const skills = await loadSkills(directory, faults)
  if (faults.length > 0) throw new DiscoveryError(faults)
  return {
    ...(skills !== undefined && {
      extensions: [skills],
      skills: skills.entries.map(({ frontmatter }) => frontmatter.name),
    }),
    tools: new Map(
      sortBy(tools, (tool) => tool.definition.name).map((tool) => [tool.definition.name, tool]),
    ),
    resources: sortBy(resources, ({ name }) => name),
    prompts: sortBy(prompts, ({ name }) => name),
    skipped: found.skipped,
  }
}

interface Findings {
  readonly faults: string[]
  readonly skipped: SkippedFile[]
}

interface Found<T> {
  /** Path with its folder, such as `tools/service.ts`. */
  readonly file: string
  readonly value: T
}

async function loadFolder<T>(
  directory: string,
  { faults, skipped }: Findings,
  check: (exported: unknown) => T,
  waiting: Waiting,
): Promise<Found<T>[]> {
  const found: Found<T>[] = []
  const files = (await listDeclarations(directory)) ?? []
  // Imports concurrently, so that all files that hang are reported together.
  const imports = files.flatMap(({ path, skippedAs }) => {
    const file = `${basename(directory)}/${path}`
    if (skippedAs === undefined) {
      const importing = importFile(join(directory, path))
      return [{ file, importing: settleInTime(file, importing, waiting) }]
    }
    skipped.push({ file, reason: skippedAs })
    return []
  })
  await Promise.allSettled(imports.map(({ importing }) => importing))
  for (const { file, importing } of imports) {
    const fault = (error: unknown, which = '') =>
      void faults.push(`${file}: ${error instanceof Error ? error.message : String(error)}${which}`)
    const declarations = (await importing.then(declarationsOf).catch((e) => fault(e))) ?? []
    for (const [index, declared] of declarations.entries()) {
      try {
        found.push({ file, value: check(declared) })
      } catch (error) {
        fault(error, declarations.length > 1 ? ` (in ${nameOf(declared, index)})` : '')
      }
    }
  }
  return found
}

async function isFolder(path: string): Promise<boolean> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  return facts?.isDirectory() === true
}

interface Module {
  readonly default?: unknown
}

function importFile(path: string): Promise<Module> {
  return import(pathToFileURL(path).href)
}

/** The declarations of a file: its default export, or the items of it if that is an array. */
function declarationsOf(module: Module): readonly object[] {
  if (module.default === undefined) {
    throw new TypeError(
      'has no default export; if it is code that others share, let its name begin with "_"',
    )
  }
  const declared: readonly unknown[] = Array.isArray(module.default)
    ? module.default
    : [module.default]
  if (declared.length === 0) throw new TypeError('its default export declares nothing')
  const wrong = declared.findIndex((each) => !isObject(each) || each instanceof Promise)
  if (wrong >= 0) {
    const which = Array.isArray(module.default)
      ? `item ${wrong} of its default export`
      : 'its default export'
    const what = declared[wrong] instanceof Promise ? 'a promise: await it' : 'no declaration'
    throw new TypeError(`${which} is ${what}`)
  }
  return declared as readonly object[]
}

/** Which of several declarations of a file. */
function nameOf(declared: object, index: number): string {
  const { name } = declared as { readonly name?: unknown }
  return typeof name === 'string' && name !== '' ? `"${name}"` : `item ${index}`
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function refuseTwice<T>(
  found: readonly Found<T>[],
  key: (value: T) => string,
  faults: string[],
): void {
  const seen = new Map<string, string>()
  for (const { file, value } of found) {
    const first = seen.get(key(value))
    if (first !== undefined) faults.push(`${file}: "${key(value)}" is already declared in ${first}`)
    seen.set(key(value), file)
  }
}

function sortBy<T>(found: readonly Found<T>[], key: (value: T) => string): T[] {
  return found.map(({ value }) => value).sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
