/** Reads the configuration, opens the store, serves, and stops cleanly. */

import { setTimeout as delay } from 'node:timers/promises'
import { type LoadedConfig, loadConfig } from './config.ts'
import { explainFailure } from './explain-failure.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { declaredVariables, loadCatalog, type Project } from './project.ts'
import { serveHttp } from './serve-http.ts'
import { serveStdio } from './serve-stdio.ts'
import { createMemoryStore } from './store/memory.ts'
import { createMemoryFile } from './store/memory-file.ts'
import type { Store } from './store/port.ts'
import { createRedisStore } from './store/redis.ts'
import { openTracing } from './telemetry/open-tracing.ts'
import type { Tracing } from './telemetry/tracing.ts'

const STORE_WAIT_MS = 1000
const STORE_POLL_MS = 20

/** Calls that run when a development server restarts are not worth a longer wait. */
const DEVELOPMENT_DRAIN_MS = 500

export interface StartOptions {
  /** `stdio` first for standard input and output instead of HTTP; `--env NAME`. */
  readonly argv: readonly string[]
  /** Where a development server keeps what is in memory while it restarts. */
  readonly stateFile?: string | undefined
}

function openStore(
  { config, secrets }: LoadedConfig,
  log: RootLogger,
  stateFile: string | undefined,
): Store {
  if (config.store.kind === 'memory') {
    const isKept = stateFile !== undefined && !config.isProduction
    return createMemoryStore({ log, ...(isKept && { file: createMemoryFile(stateFile, log) }) })
  }
  return createRedisStore({ ...config.store, password: secrets.redisPassword, log })
}

/** Undefined where no traces are wanted. */
async function startTracing(
  { config, secrets }: LoadedConfig,
  onFailure: (error: unknown) => void,
): Promise<Tracing | undefined> {
  if (config.traces === undefined) return undefined
  return openTracing({ ...config.traces, headers: secrets.otlpHeaders, onFailure })
}

/**
 * Gives the store a moment, so that the first request finds it. One that stays away does not keep
 * the server from starting: readiness tells.
 */
async function waitForStore(store: Store, longestMs: number): Promise<void> {
  const giveUpAt = performance.now() + longestMs
  while (performance.now() < giveUpAt) {
    const answered = await store.ping().then(
      () => true,
      () => false,
    )
    if (answered) return
    await delay(STORE_POLL_MS)
  }
}

async function serve(project: Project, { argv, stateFile }: StartOptions): Promise<void> {
  const stdio = argv[0] === 'stdio'
  const loaded = loadConfig({
    ...{ argv, env: process.env, cwd: project.folder },
    ...{ declared: declaredVariables(project), identifier: project.server.name },
  })
  const { config, secrets } = loaded
  const tracing = await startTracing(loaded, (error) =>
    log.warn({ err: error }, 'traces cannot be sent'),
  )
  const log = createLogger({
    ...config.log,
    ...config.app,
    destination: stdio ? 'stderr' : 'stdout',
    ...(tracing !== undefined && { lineFields: tracing.logFields }),
  })
  log.debug({ config }, 'configuration')
  if (config.usesDevelopmentKey) {
    log.warn('ENCRYPTION_KEY is not set: the published development key is used')
  }
  if (!config.http.rateLimit && !stdio) {
    log.warn(
      'RATE_LIMIT=off: nothing is counted, limits of tools neither, and anybody may send any number',
    )
  }
  const catalog = await loadCatalog(project, config.tools.directory)
  for (const { file, reason } of catalog.skipped) log.debug({ file, reason }, 'file skipped')
  const store = openStore(loaded, log, stateFile)
  await waitForStore(store, STORE_WAIT_MS)
  const deps = { config, secrets, log, store, catalog, tracing }
  const drainMs = stateFile === undefined ? undefined : DEVELOPMENT_DRAIN_MS
  const service = stdio ? await serveStdio(deps) : await serveHttp(deps, drainMs)
  // First: whoever waits for the line may stop the server right after it.
  // A promise that a tool forgot must not end everybody's calls.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  const stop = async () => {
    await service.stop()
    await tracing?.close()
  }
  stopOnSignals(stop, log, { stdio, isReplaced: stateFile !== undefined })
  log.info({ transport: stdio ? 'stdio' : 'http', ...service }, 'ready')
  process.send?.('ready')
}

/** The first signal stops cleanly, a second one at once. */
function stopOnSignals(
  stop: () => Promise<void>,
  log: RootLogger,
  { stdio, isReplaced }: { readonly stdio: boolean; readonly isReplaced: boolean },
): void {
  let stopping = false
  let signalled = false
  async function stopOnce(reason: string): Promise<void> {
    if (stopping) return
    stopping = true
    log.info({ reason }, 'stopping')
    await stop()
    log.info('stopped')
    await log.close()
    process.exit(0)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalled) process.exit(1)
    signalled = true
    void stopOnce(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // Its parent, which replaces it when files change, is gone.
  if (isReplaced) process.once('disconnect', () => void stopOnce('end of its parent'))
  // Not a signal: hosts end the input, and many send a signal right after it.
  if (stdio) process.stdin.once('end', () => void stopOnce('end of input'))
}

/** Serves a project until the process is told to stop; ends the process when it cannot start. */
export async function start(project: Project, options: StartOptions): Promise<void> {
  try {
    await serve(project, options)
  } catch (error) {
    // Not `exitCode`: what was opened already, such as a connection to Redis, would keep the process.
    process.stderr.write(`${explainFailure(error)}\n`, () => process.exit(1))
  }
}
