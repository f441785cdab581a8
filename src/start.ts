/** Reads the configuration, opens the store and serves. */

import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, type LoadedConfig, loadConfig } from './config.ts'
import { DiscoveryError, discover } from './engine/discover.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { createShutdown } from './process/shutdown.ts'
import { serveHttp } from './serve-http.ts'
import { serveStdio } from './serve-stdio.ts'
import { createMemoryStore } from './store/memory.ts'
import type { Store } from './store/port.ts'
import { createRedisStore } from './store/redis.ts'
import { openTracing } from './telemetry/open-tracing.ts'
import type { Tracing } from './telemetry/tracing.ts'

const STORE_WAIT_MS = 1000
const STORE_POLL_MS = 20

function openStore({ config, secrets }: LoadedConfig, log: RootLogger): Store {
  if (config.store.kind === 'memory') return createMemoryStore({ log })
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
 * Gives the store a moment, so that the first request finds it. One that cannot serve requests does
 * not keep the server from starting: readiness tells.
 */
async function waitForStore(store: Store, longestMs: number): Promise<void> {
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
  const { config } = loaded
  const access = stdio === undefined ? config.accessWarnings : []
  for (const { code, message } of [...loaded.warnings, ...access]) log.warn({ code }, message)
  if (config.usesDevelopmentKey) {
    log.warn('ENCRYPTION_KEY is not set: the published development key is used')
  }
  if (!config.http.rateLimit && stdio === undefined) {
    log.warn(
      'RATE_LIMIT=off: nothing is counted, limits of tools neither, and anybody may send any number',
    )
  }
}

async function serve(stdio: Writable | undefined): Promise<void> {
  const loaded = loadConfig({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() })
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
  const isLaunched = stdio !== undefined && process.send !== undefined
  const shutdown = createShutdown(log, { isLaunched })
  log.debug({ config }, 'configuration')
  warnOf(loaded, log, stdio)
  const catalog = await discover(config.tools.directory ?? import.meta.dirname, {
    onSlow: (file, seconds) => log.warn({ file, seconds }, 'import has not settled; waiting'),
  })
  const store = openStore(loaded, log)
  await waitForStore(store, STORE_WAIT_MS)
  const deps = { config, secrets, log, store, catalog, tracing }
  const service = stdio ? await serveStdio(deps, stdio) : await serveHttp(deps)
  // Before the line: whoever waits for that may stop the server right after it.
  shutdown.serves(async (cause) => {
    await service.stop(cause)
    await tracing?.close()
  })
  if (stdio !== undefined) {
    // Not signals: hosts end the input, and many send a signal right after it.
    process.stdin.once('end', () => shutdown.end('end of input'))
    process.stdin.once('close', () => shutdown.end('end of input'))
    stdio.once('error', () => shutdown.end('end of output'))
  }
  log.info({ transport: stdio ? 'stdio' : 'http', ...service }, 'ready')
}

/** Faults of configuration and machine in words, since people read this one; ours with a stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof ConfigError || error instanceof DiscoveryError) return error.message
  // A port in use, a file that cannot be written: the system's message says which.
  return 'syscall' in error ? `Cannot start: ${error.message}` : String(error.stack)
}

/** @param stdio where messages go; without it HTTP is served */
export async function start(stdio: Writable | undefined): Promise<void> {
  try {
    await serve(stdio)
  } catch (error) {
    // Not `exitCode`: what was opened already, such as a connection to Redis, would keep the process.
    process.stderr.write(`${explain(error)}\n`, () => process.exit(1))
  }
}
