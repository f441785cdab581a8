/**
 * The complete server of a project in the test's process, on a free port, with recorded log lines.
 */

import { loadConfig } from '../config.ts'
import type { ServerDefinition } from '../define-server.ts'
import { compilePrompt } from '../engine/compile-prompt.ts'
import { compileResource } from '../engine/compile-resource.ts'
import { compileTool } from '../engine/compile-tool.ts'
import type { AnyPrompt } from '../engine/define-prompt.ts'
import type { AnyResource } from '../engine/define-resource.ts'
import { declaredBy } from '../engine/define-services.ts'
import type { AnyTool } from '../engine/define-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import { openServices } from '../engine/open-services.ts'
import {
  declaredSources,
  loadCatalog,
  openProject,
  type Project,
  SESSION_TOOLS,
  teamOf,
  withExtensions,
} from '../project.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/port.ts'
import { createFakeApi } from './fake-api.ts'
import { createBrowser, type Page } from './form-browser.ts'
import { type Line, recordingLogger } from './recording-logger.ts'
import type { UpstreamAnswers, UpstreamRequest } from './tool-upstream.ts'

export interface TestServerOptions {
  /** The project folder with `src/server.ts`; the current folder by default. */
  readonly project?: string
  /** Replaces the project's declaration; `tools` and the other lists then define the catalog. */
  readonly server?: ServerDefinition
  readonly tools?: readonly AnyTool[]
  readonly resources?: readonly AnyResource[]
  readonly prompts?: readonly AnyPrompt[]
  /** The upstream API's answers, by method and route; the demo bank answers by default. */
  readonly upstream?: UpstreamAnswers
  /** The server's variables; it reads no others, and no `.env` file. */
  readonly env?: Readonly<Record<string, string>>
  /** The store; one in memory by default. `stop` closes it. */
  readonly store?: Store
  /** Replacements for the services that the server's declaration opens. */
  readonly services?: object
}

export interface TestServer {
  /** Such as `http://localhost:41234`; clients connect to `/mcp` below it. */
  readonly url: string
  /** All log lines so far, at level trace. */
  log(): readonly Line[]
  /** All requests of tools to the upstream API; empty for the demo bank. */
  readonly requests: readonly UpstreamRequest[]
  /** Signs in at the demo as a user does, with the link of the tool `login`: `ada` or `grace`. */
  signIn(link: { readonly url: string; readonly code: string }, person?: string): Promise<Page>
  /**
   * Graceful shutdown: waits for running calls and closes everything.
   * @throws Error if a tool made an upstream request without an answer in `upstream`
   */
  stop(): Promise<void>
}

/**
 * Starts a server. Users sign in at the demo, whichever API is used.
 * @throws ProjectError, DiscoveryError or ConfigError, as the real start does
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { project, catalog } = await servedBy(options)
  const env = {
    NODE_ENV: 'test',
    MASK_MCP_PORT: '0',
    LOG_LEVEL: 'trace',
    STOP_DELAY: '0',
    ...options.env,
  }
  // A folder without `.env`: a developer's settings must not influence a test.
  const loaded = loadConfig({ env, cwd: import.meta.dirname, ...declaredSources(project) })
  const { values, secrets } = loaded.settings
  const { log, lines } = recordingLogger('trace', secrets)
  const store = options.store ?? createMemoryStore({ log })
  const fake = options.upstream && createFakeApi(options.upstream)
  // Imported lazily: tests of single tools do not load the whole server.
  const { serveHttp } = await import('../serve-http.ts')
  const opened = await openServices(options.services ? undefined : declaredBy(project.server), {
    ...{ log, secrets, settings: values, timeoutSeconds: loaded.config.startTimeoutSeconds },
  })
  const team = teamOf(project, loaded.settings, options.services ?? opened.services)
  const service = await serveHttp({
    config: loaded.config,
    secrets: loaded.secrets,
    ...{ log, store, catalog, team, services: opened },
    logo: project.logo,
    demoApi: fake?.api,
  })
  return {
    url: service.publicUrl,
    log: lines,
    requests: fake?.requests ?? [],
    async signIn({ url, code }, person = 'ada') {
      const browser = createBrowser()
      const choice = await browser.open(url, { code })
      return browser.open(choice.url, { person })
    },
    async stop() {
      await service.stop()
      fake?.refuseUnanswered()
    },
  }
}

async function servedBy(options: TestServerOptions): Promise<{
  readonly project: Project
  readonly catalog: Catalog
}> {
  const { server, project: folder = process.cwd() } = options
  if (server === undefined) {
    const project = await openProject(folder)
    return { project, catalog: await loadCatalog(project) }
  }
  const project = { folder, source: folder, server, version: server.version }
  return { project, catalog: declaredCatalog(project, options) }
}

function declaredCatalog({ server }: Project, options: TestServerOptions): Catalog {
  const { tools = [], resources = [], prompts = [] } = options
  const session = server.sessionTools === false ? [] : SESSION_TOOLS
  const compiled = named('tool', [...session, ...tools], (tool) => [tool.name, compileTool(tool)])
  const sorted = compiled.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const catalog = {
    tools: new Map(sorted),
    resources: named('resource', resources, compileResource),
    prompts: named('prompt', prompts, compilePrompt),
    skipped: [],
  }
  return withExtensions(catalog, server)
}

/** Compiles each; a fault names the declaration, as the start names its file. @throws TypeError */
function named<Declared extends { readonly name: string }, const Compiled>(
  kind: string,
  declared: readonly Declared[],
  compile: (declared: Declared) => Compiled,
): Compiled[] {
  return declared.map((each) => {
    try {
      return compile(each)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new TypeError(`${kind} "${each.name}": ${reason}`, { cause: error })
    }
  })
}
