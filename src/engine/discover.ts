/** Finds the fork's own files at start, and reports every fault in them together, by file. */

import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { type CompiledTool, compileTool } from './compile-tool.ts'
import type { AnyPrompt, PromptDefinition } from './define-prompt.ts'
import type { ResourceDefinition } from './define-resource.ts'
import type { AnyTool } from './define-tool.ts'
import { settleInTime, type Waiting } from './settle-in-time.ts'

export interface Catalog {
  readonly tools: ReadonlyMap<string, CompiledTool>
  readonly resources: readonly ResourceDefinition[]
  readonly prompts: readonly AnyPrompt[]
}

/** Says which files are wrong and why, all of them. */
export class DiscoveryError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`Cannot load:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
    this.name = 'DiscoveryError'
    this.faults = faults
  }
}

/**
 * Loads `tools/`, `resources/` and `prompts/` below `directory`, sorted by name so that lists are
 * in a stable order (2026-07-28, server/tools, "Listing Tools").
 * @throws DiscoveryError
 */
export async function discover(directory: string, waiting: Waiting = {}): Promise<Catalog> {
  if ((await filesIn(directory)) === undefined) {
    throw new DiscoveryError([`${directory}: there is no such folder`])
  }
  const faults: string[] = []
  const load = <T>(folder: string, check: (exported: unknown) => T) =>
    loadFolder(join(directory, folder), faults, check, waiting)
  const tools = await load('tools', (found) => compileTool(found as AnyTool))
  const resources = await load('resources', checkResource)
  const prompts = await load('prompts', checkPrompt)
  refuseTwice(tools, ({ definition }) => definition.name, faults)
  refuseTwice(resources, ({ name }) => name, faults)
  refuseTwice(resources, ({ uri }) => uri, faults)
  refuseTwice(prompts, ({ name }) => name, faults)
  if (faults.length > 0) throw new DiscoveryError(faults)
  return {
    tools: new Map(
      sortBy(tools, (tool) => tool.definition.name).map((tool) => [tool.definition.name, tool]),
    ),
    resources: sortBy(resources, ({ name }) => name),
    prompts: sortBy(prompts, ({ name }) => name),
  }
}

interface Module {
  readonly default?: unknown
}

interface Found<T> {
  /** With its folder, such as `tools/service.ts`. */
  readonly file: string
  readonly value: T
}

async function loadFolder<T>(
  directory: string,
  faults: string[],
  check: (exported: unknown) => T,
  waiting: Waiting,
): Promise<Found<T>[]> {
  const files = (await filesIn(directory)) ?? []
  const found: Found<T>[] = []
  const names = files.filter((name) => /(?<!\.d|\.test)\.[jt]s$/.test(name)).sort()
  // All at once: files that hang are named together.
  const imports = names.map((name) => {
    const file = `${basename(directory)}/${name}`
    const url = pathToFileURL(join(directory, name)).href
    return { file, importing: settleInTime(file, import(url) as Promise<Module>, waiting) }
  })
  await Promise.allSettled(imports.map(({ importing }) => importing))
  for (const { file, importing } of imports) {
    try {
      const module = await importing
      if (module.default === undefined) throw new TypeError('has no default export')
      if (typeof module.default !== 'object' || module.default === null) {
        throw new TypeError('its default export declares nothing')
      }
      found.push({ file, value: check(module.default) })
    } catch (error) {
      faults.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return found
}

/** Undefined for a folder that is not there; any other failure must not pass for an empty one. */
async function filesIn(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function checkResource(exported: unknown): ResourceDefinition {
  const { name, uri, read } = exported as Partial<ResourceDefinition>
  if (typeof name !== 'string' || name === '') throw new TypeError('name is missing')
  if (typeof uri !== 'string' || !/^[a-z][a-z0-9+.-]*:/i.test(uri))
    throw new TypeError('uri must be absolute')
  if (typeof read !== 'function') throw new TypeError('read is missing')
  return exported as ResourceDefinition
}

function checkPrompt(exported: unknown): AnyPrompt {
  const prompt = exported as Partial<AnyPrompt>
  const { name, description, render } = prompt
  if (typeof name !== 'string' || name === '') throw new TypeError('name is missing')
  if (typeof description !== 'string') throw new TypeError('description is missing')
  if (!(prompt.arguments instanceof z.ZodObject))
    throw new TypeError('arguments must be a z.object(…)')
  if (typeof render !== 'function') throw new TypeError('render is missing')
  return exported as PromptDefinition<AnyPrompt['arguments']>
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
