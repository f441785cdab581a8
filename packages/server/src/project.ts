/** A project: the folder of a team with its `src/server.ts`, and the catalog that it serves. */

import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { type Logo, readLogo } from './config/logo-file.ts'
import { type ConfigSources, optionVariables, type TeamSettings } from './config.ts'
import { isServerDefinition, type ServerDefinition } from './define-server.ts'
import { declaredBy } from './engine/define-services.ts'
import { type Catalog, discover } from './engine/discover.ts'
import { settleInTime, type Waiting } from './engine/settle-in-time.ts'
import type { Team } from './engine/team.ts'
import { createRedactors } from './output/redactor.ts'
import { findServerFile, noServerFile } from './server-file.ts'
import login from './tools/login.ts'
import logout from './tools/logout.ts'
import session from './tools/session.ts'

export interface Project {
  /** Where `package.json` and `.env` are. */
  readonly folder: string
  /** Where `tools/`, `resources/` and `prompts/` are. */
  readonly source: string
  readonly server: ServerDefinition
  /** Of the server: its own, or the package's. */
  readonly version: string | undefined
  readonly logo?: Logo | undefined
}

/** A folder that is no project, or one whose declaration does not load; the message says why. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError'
}

const packageForm = z.looseObject({ version: z.string().optional().catch(undefined) })

/**
 * Loads the declaration of the server in `folder`.
 * @throws ProjectError
 */
export async function openProject(folder: string): Promise<Project> {
  const file = findServerFile(folder)
  if (file === undefined) throw new ProjectError(noServerFile(folder))
  const server = await loadServer(file, relative(folder, file))
  return {
    logo: projectLogo(server, dirname(file)),
    folder,
    source: resolve(dirname(file), server.directory ?? '.'),
    server,
    version: server.version ?? packageVersion(folder),
  }
}

async function loadServer(file: string, shown: string): Promise<ServerDefinition> {
  let module: { default?: unknown }
  try {
    module = await settleInTime(shown, import(pathToFileURL(file).href), {})
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ProjectError(`Cannot load ${shown}: ${reason}`, { cause: error })
  }
  if (isServerDefinition(module.default)) return module.default
  throw new ProjectError(`${shown} must have a default export: defineServer({ name: '…' })`)
}

function projectLogo({ branding }: ServerDefinition, directory: string): Logo | undefined {
  try {
    return readLogo(branding?.logo, directory)
  } catch (error) {
    throw new ProjectError(error instanceof Error ? error.message : String(error))
  }
}

function packageVersion(folder: string): string | undefined {
  try {
    const text = readFileSync(join(folder, 'package.json'), 'utf8')
    return packageForm.safeParse(JSON.parse(text)).data?.version
  } catch {
    return undefined
  }
}

/** What the declaration says, for the configuration: by the variables that win over it, where there are. */
export function declaredSources({
  server,
  version = '0.0.0',
}: Pick<Project, 'server' | 'version'>): Pick<
  ConfigSources,
  'declared' | 'identifier' | 'options' | 'settings'
> {
  const { color = '', supportUrl = '' } = server.branding ?? {}
  const description = server.description ?? server.branding?.description ?? ''
  const declared = {
    ...optionVariables(server),
    APP_NAME: server.title ?? server.name,
    APP_VERSION: version,
    APP_COLOR: color,
    APP_DESCRIPTION: description,
    APP_SUPPORT_URL: supportUrl,
  }
  const settings = declaredBy(server)?.settings
  return { declared, identifier: server.name, options: server, settings }
}

/** What the declaration of the server brings along, once settings are read and services opened. */
export function teamOf(
  { server }: Pick<Project, 'server'>,
  { values, secrets }: TeamSettings,
  services: object,
): Team {
  const { hooks = [], routes = [], unauthorizedTools = 'challenge' } = server
  return {
    env: Object.freeze({ settings: values, services }),
    createRedactor: createRedactors(secrets),
    ...{ hooks, routes, unauthorizedTools },
    readiness: async () => server.readiness?.(services),
  }
}

/** The tools that people sign in and out with. */
export const SESSION_TOOLS = [login, logout, session]

/**
 * Loads everything that a project serves. `instead` names a folder whose tools, resources and prompts
 * replace all of the project's (TOOLS_DIR).
 * @throws DiscoveryError
 */
export async function loadCatalog(
  { source, server }: Project,
  instead?: string,
  waiting: Waiting = {},
): Promise<Catalog> {
  if (instead !== undefined) return withExtensions(await discover(instead, waiting), server)
  const further = server.sessionTools === false ? {} : { [FRAMEWORK]: SESSION_TOOLS }
  return withExtensions(await discover(source, { ...waiting, further }), server)
}

/** The catalog with the extensions of the declaration. */
export function withExtensions(
  catalog: Catalog,
  { extensions: declared = [] }: Pick<ServerDefinition, 'extensions'>,
): Catalog {
  const { extensions = [] } = catalog
  return declared.length === 0 ? catalog : { ...catalog, extensions: [...extensions, ...declared] }
}

/** Where session tools are declared, as a message about a name taken twice says it. */
const FRAMEWORK = 'the framework (sessionTools of src/server.ts)'
