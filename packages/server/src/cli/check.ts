/**
 * `mcp-template check`: loads everything `start` would load, opens nothing, and reports every
 * fault.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOutdated } from '../config/document-settings.ts'
import { configWarnings, loadConfig } from '../config.ts'
import type { Catalog } from '../engine/discover.ts'
import { catalogWarnings } from '../engine/tool-sizes.ts'
import { explainFailure } from '../explain-failure.ts'
import { declaredSources, loadCatalog, openProject, type Project } from '../project.ts'
import { catalogFor } from '../served-catalog.ts'
import { readCommandLine, UsageError } from './command-line.ts'
import { EXAMPLE } from './settings-command.ts'

/**
 * Prints what the project serves and the configuration warnings that `start` would log. Exits with
 * code 1 and lists all faults if the project cannot be served.
 */
export async function check(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args, 'env')
  if (line.positionals.length > 0) {
    throw new UsageError(`Unexpected argument "${line.positionals.join(' ')}".`)
  }
  const project = await openProject(line.project)
  const { env } = line.values
  const loaded = settle(() =>
    loadConfig({
      ...{ argv: env === undefined ? [] : ['--env', env], env: process.env, cwd: project.folder },
      ...declaredSources(project),
    }),
  )
  const { value } = await loaded
  const catalog = await settle(async () => {
    const directory = value?.config.tools.directory
    const found = await loadCatalog(project, directory)
    return value === undefined ? found : catalogFor(found, value.config)
  })
  const faults = [(await loaded).fault, catalog.fault].filter((fault) => fault !== undefined)
  const warnings = value === undefined ? [] : configWarnings(value)
  const ofCatalog = catalog.value === undefined ? [] : catalogWarnings(catalog.value)
  for (const { message } of [...warnings, ...ofCatalog, ...exampleWarnings(project)])
    process.stderr.write(`Warning: ${message}\n`)
  const report =
    catalog.value === undefined || faults.length > 0
      ? faults.join('\n')
      : summaryOf(project, catalog.value)
  const stream = faults.length > 0 ? process.stderr : process.stdout
  // An open handle of a loaded file must not keep the process alive.
  stream.write(`${report}\n`, () => process.exit(faults.length > 0 ? 1 : 0))
}

/** A `.env.example` that lacks settings sends a new developer to an error. */
function exampleWarnings(project: Project): readonly { readonly message: string }[] {
  const file = join(project.folder, EXAMPLE)
  const { settings } = declaredSources(project)
  if (!existsSync(file) || !isOutdated(readFileSync(file, 'utf8'), settings)) return []
  const message = `${EXAMPLE} does not have the settings of src/mcp.ts as they are: npx mcp-template settings --write`
  return [{ message }]
}

async function settle<T>(work: () => T | Promise<T>): Promise<{ value?: T; fault?: string }> {
  try {
    return { value: await work() }
  } catch (error) {
    return { fault: explainFailure(error) }
  }
}

function summaryOf({ server, version }: Project, catalog: Catalog): string {
  const { tools, resources, prompts, skills, skipped } = catalog
  const lines = {
    tools: [...tools.keys()],
    resources: resources.map(({ name }) => name),
    prompts: prompts.map(({ name }) => name),
    ...(skills !== undefined && { skills }),
    skipped: skipped.map(({ file, reason }) => `${file} (${reason})`),
  }
  const shown = Object.entries(lines).map(
    ([title, names]) => `  ${title}: ${names.join(', ') || 'none'}`,
  )
  return [`${server.name} ${version ?? ''}`.trimEnd(), ...shown].join('\n')
}
