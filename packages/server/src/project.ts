/** A project: a folder with `src/server.ts`, and the catalog it serves. */

import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { type Logo, readLogo } from './config/logo-file.ts'
import { type ConfigSources, optionVariables, type TeamSettings } from './config.ts'
import { isServerDefinition, type ServerDefinition } from './define-server.ts'
import { settleInTime, type Waiting } from './engine/declaration-files.ts'
import { declaredBy } from './engine/define-services.ts'
import { type Catalog, discover } from './engine/discover.ts'
import type { Team } from './engine/team.ts'
import { createRedactors } from './output/mask.ts'
import { supportTypeScript } from './process/typescript.ts'
import { findServerFile, noServerFile } from './server-file.ts'
import login from './tools/login.ts'
import logout from './tools/logout.ts'
import session from './tools/session.ts'

export interface Project {
  /** Folder of `package.json` and `.env`. */
  readonly folder: string
  /** Folder of `tools/`, `resources/` and `prompts/`. */
  readonly source: string
  readonly server: ServerDefinition
  /** Version of the server: the declared one, otherwise the package's. */
  readonly version: string | undefined
  readonly logo?: Logo | undefined
}

/** A folder that is not a project, or whose declaration fails to load; the message says why. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError'
}

const packageForm = z.looseObject({ version: z.string().optional().catch(undefined) })

/**
 * Loads the server's declaration from `folder`, in TypeScript on any Node version.
 * @throws ProjectError, TypeScriptError
 */
export async function openProject(folder: string): Promise<Project> {
  const file = findServerFile(folder)
  if (file === undefined) throw new ProjectError(noServerFile(folder))
  await supportTypeScript(folder)
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

/** The declaration as a configuration source, under the names of the variables that override it. */
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

/** The declaration's hooks, routes and readiness check, bound to the settings and services. */
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

/** Built-in tools for sign-in, sign-out and the state of the session. */
export const SESSION_TOOLS = [login, logout, session]

/**
 * Loads a project's tools, resources and prompts. `instead` names a folder that replaces all of
 * them (TOOLS_DIR).
 * @throws DiscoveryError, TypeScriptError
 */
export async function loadCatalog(
  { source, server }: Project,
  instead?: string,
  waiting: Waiting = {},
): Promise<Catalog> {
  await supportTypeScript(instead ?? source)
  if (instead !== undefined) return withExtensions(await discover(instead, waiting), server)
  const further = server.sessionTools === false ? {} : { [FRAMEWORK]: SESSION_TOOLS }
  return withExtensions(await discover(source, { ...waiting, further }), server)
}

/** Adds the declared extensions to the catalog. */
export function withExtensions(
  catalog: Catalog,
  { extensions: declared = [] }: Pick<ServerDefinition, 'extensions'>,
): Catalog {
  const { extensions = [] } = catalog
  return declared.length === 0 ? catalog : { ...catalog, extensions: [...extensions, ...declared] }
}

/** Source of the session tools in error messages about duplicate names. */
const FRAMEWORK = 'the framework (sessionTools of src/server.ts)'
