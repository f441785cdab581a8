/** Reads the configuration, opens the store and serves a project. */

import cluster from 'node:cluster'
import { hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, configWarnings, type LoadedConfig, loadConfig } from './config.ts'
import { declaredBy } from './engine/define-services.ts'
import type { Catalog } from './engine/discover.ts'
import { type OpenedServices, openServices } from './engine/open-services.ts'
import { catalogWarnings } from './engine/tool-sizes.ts'
import { explainFailure } from './explain-failure.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { createShutdown, type Parent, type Shutdown } from './process/shutdown.ts'
import { supportTypeScript } from './process/typescript.ts'
import { declaredSources, loadCatalog, type Project, teamOf } from './project.ts'
import type { Store } from './store/port.ts'
import type { Tracing } from './telemetry/tracing.ts'
import { joinPrimary, type Worker } from './workers/worker.ts'

const STORE_WAIT_MS = 1000
const STORE_POLL_MS = 20

/** Drain time of a development server: restarts must be fast. */
const DEVELOPMENT_DRAIN_MS = 500

export interface StartOptions {
  /** Such as `--env NAME`. */
  readonly argv: readonly string[]
  /** Output of the stdio transport; without it, the process serves HTTP. */
  readonly stdio?: Writable | undefined
  /** File in which a development server persists the memory store across restarts. */
  readonly stateFile?: string | undefined
}

/** Opens the configured store; imports lazily, so that only its driver is loaded. */
export async function openStore(
  { config, secrets }: LoadedConfig,
  log: RootLogger,
  stateFile: string | undefined,
): Promise<Store> {
  if (config.store.kind === 'memory') {
    const isKept = stateFile !== undefined && !config.isProduction
    const { createMemoryStore } = await import('./store/memory.ts')
    if (!isKept) return createMemoryStore({ log })
    const { createMemoryFile } = await import('./store/memory-file.ts')
    return createMemoryStore({ log, file: createMemoryFile(stateFile, log) })
  }
  const { createRedisStore } = await import('./store/redis.ts')
  return createRedisStore({
    ...config.store,
    password: secrets.redisPassword,
    sentinelPassword: secrets.redisSentinelPassword,
    certificates: secrets.redisTls,
    clientName: config.store.clientName ?? clientNameOf(config.app.identifier),
    log,
  })
}

/** For CLIENT LIST: visible ASCII characters without spaces. */
function clientNameOf(identifier: string): string {
  return `${identifier}-${hostname()}-${process.pid}`.replaceAll(/[^\x21-\x7e]/g, '-')
}

/** Undefined if traces are disabled. Imports OpenTelemetry's SDK lazily, as no other place does. */
async function startTracing(
  { config, secrets }: LoadedConfig,
  onFailure: (error: unknown) => void,
): Promise<Tracing | undefined> {
  if (config.traces === undefined) return undefined
  const { createOtlpTracing } = await import('./telemetry/otlp-tracing.ts')
  return createOtlpTracing({ ...config.traces, headers: secrets.otlpHeaders, onFailure })
}

/**
 * Waits briefly for the store, so that the first request finds it connected. An unavailable store
 * does not prevent the start: readiness reports it.
 */
export async function waitForStore(store: Store, longestMs: number): Promise<void> {
  const giveUpAt = performance.now() + longestMs
  while (performance.now() < giveUpAt) {
    const isHealthy = await store.checkHealth().then(
      () => true,
      () => false,
    )
    if (isHealthy) return
    await delay(STORE_POLL_MS)
  }
}

function warnOf(loaded: LoadedConfig, log: RootLogger, stdio: Writable | undefined): void {
  const warnings = configWarnings(loaded, stdio === undefined ? 'http' : 'stdio')
  // The field is not named `code`, which is redacted because authorization codes have that name.
  for (const { code, message } of warnings) log.warn({ warning: code }, message)
  if (loaded.config.usesDevelopmentKey) {
    log.warn('ENCRYPTION_KEY is not set; using the published development key')
  }
}

function reportOn(catalog: Catalog, log: RootLogger): void {
  for (const { code, message } of catalogWarnings(catalog)) log.warn({ warning: code }, message)
  for (const { file, reason } of catalog.skipped) log.debug({ file, reason }, 'file skipped')
}

/** The parent process, if it has opened an IPC channel. */
function parentOf({ stdio, stateFile }: StartOptions, worker?: Worker): Parent | undefined {
  if (worker !== undefined) return 'primary'
  if (process.send === undefined) return undefined
  if (stateFile !== undefined) return 'dev'
  return stdio === undefined ? undefined : 'launcher'
}

async function serve(project: Project, options: StartOptions): Promise<void> {
  const { argv, stdio } = options
  const loaded = loadConfig({
    ...{ argv, env: process.env, cwd: project.folder },
    ...declaredSources(project),
    isAlone: options.stateFile !== undefined,
  })
  const { config } = loaded
  const worker = joinPrimary(process.env)
  const isPrimary = config.workers > 1 && worker === undefined
  if (isPrimary && !cluster.isPrimary) throw new ConfigError([NESTED])
  const tracing = isPrimary
    ? undefined
    : await startTracing(loaded, (error) => log.warn({ err: error }, 'traces cannot be sent'))
  const log = createLogger({
    ...config.log,
    ...config.app,
    secrets: loaded.settings.secrets,
    worker: worker?.number,
    destination: stdio ? 'stderr' : 'stdout',
    ...(tracing !== undefined && { lineFields: tracing.logFields }),
  })
  const parent = parentOf(options, worker)
  const shutdown = createShutdown(log, { parent })
  log.debug({ config }, 'configuration')
  if (worker === undefined) warnOf(loaded, log, stdio)
  if (isPrimary) {
    const { runPrimary } = await import('./workers/primary.ts')
    await runPrimary({ loaded, log, shutdown })
    return
  }
  await serveInProcess({ project, loaded, log, tracing, worker }, options, shutdown)
  if (parent === 'dev') process.send?.('ready')
  worker?.ready()
}

/** Loads what the project declares and serves it in this process, until `shutdown` stops it. */
async function serveInProcess(
  started: Started,
  options: StartOptions,
  shutdown: Shutdown,
): Promise<void> {
  const { project, loaded, log, tracing, worker } = started
  const { config, settings } = loaded
  const { stdio } = options
  await supportTypeScript(config.tools.directory ?? project.source, () => importServing(stdio))
  const catalog = await loadCatalog(project, config.tools.directory, {
    onSlow: (file, seconds) => log.warn({ file, seconds }, 'import has not settled; waiting'),
  })
  if (worker === undefined || worker.number === 1) reportOn(catalog, log)
  const services = await openServices(declaredBy(project.server), {
    settings: settings.values,
    secrets: settings.secrets,
    log,
    timeoutSeconds: config.startTimeoutSeconds,
  })
  try {
    const service = await openAndServe(started, { catalog, services }, options)
    // Before the log line `ready`: a supervisor may stop the server as soon as it reads that.
    shutdown.serves(async (cause) => {
      await service.stop(cause)
      await tracing?.close()
    })
    if (stdio !== undefined) {
      // End of input starts the shutdown: hosts close it first, and many send a signal right after.
      process.stdin.once('end', () => shutdown.end('end of input'))
      process.stdin.once('close', () => shutdown.end('end of input'))
      stdio.once('error', () => shutdown.end('end of output'))
    }
    log.info({ transport: stdio ? 'stdio' : 'http', ...service }, 'ready')
  } catch (error) {
    await services.close()
    throw error
  }
}

interface Started {
  readonly project: Project
  readonly loaded: LoadedConfig
  readonly log: RootLogger
  readonly tracing: Tracing | undefined
  readonly worker: Worker | undefined
}

interface Opened {
  readonly catalog: Catalog
  readonly services: OpenedServices
}

const NESTED = {
  name: 'WORKERS',
  message: 'must be 1 in a process that is itself a worker of a cluster, as under some managers',
}

/** Imports the modules of the transport. */
export function importServing(stdio: Writable | undefined): Promise<unknown> {
  return stdio === undefined ? import('./serve-http.ts') : import('./serve-stdio.ts')
}

/** Opens the store and serves the loaded project. */
async function openAndServe(
  { project, loaded, log, tracing, worker }: Started,
  { catalog, services }: Opened,
  { stdio, stateFile }: StartOptions,
) {
  const store = await openStore(loaded, log, stateFile)
  // Redis connects while the modules are read.
  await Promise.all([waitForStore(store, STORE_WAIT_MS), importServing(stdio)])
  const { config, secrets, settings } = loaded
  const team = teamOf(project, settings, services.services)
  const { shareMetrics } = worker ?? {}
  const deps = {
    ...{ config, secrets, log, tracing, store, catalog, team, services, shareMetrics },
    logo: project.logo,
  }
  if (stdio !== undefined) return (await import('./serve-stdio.ts')).serveStdio(deps, stdio)
  return (await import('./serve-http.ts')).serveHttp(
    deps,
    stateFile === undefined ? undefined : DEVELOPMENT_DRAIN_MS,
  )
}

/** Serves a project until the process is stopped; exits with 1 if it cannot start. */
export async function start(project: Project, options: StartOptions): Promise<void> {
  try {
    await serve(project, options)
  } catch (error) {
    // Not `exitCode`: open handles, such as a Redis connection, would keep the process alive.
    process.stderr.write(`${explainFailure(error)}\n`, () => process.exit(1))
  }
}
