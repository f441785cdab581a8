/** Reads the configuration, opens the store, serves, and stops cleanly. */

import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, type LoadedConfig, loadConfig } from './config.ts'
import { DiscoveryError, discover } from './engine/discover.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { serveHttp } from './serve-http.ts'
import { serveStdio } from './serve-stdio.ts'
import { createMemoryStore } from './store/memory.ts'
import type { Store } from './store/port.ts'
import { createRedisStore } from './store/redis.ts'
import { openTracing } from './telemetry/open-tracing.ts'
import type { Tracing } from './telemetry/tracing.ts'

const STORE_WAIT_MS = 1000
const STORE_POLL_MS = 20

const stdio = process.argv[2] === 'stdio'

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

async function main(): Promise<void> {
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
  log.debug({ config }, 'configuration')
  if (config.usesDevelopmentKey) {
    log.warn('ENCRYPTION_KEY is not set: the published development key is used')
  }
  if (!config.http.rateLimit && !stdio) {
    log.warn(
      'RATE_LIMIT=off: nothing is counted, limits of tools neither, and anybody may send any number',
    )
  }
  for (const warning of loaded.warnings) log.warn({ code: warning.code }, warning.message)
  if (!stdio) {
    for (const { code, message } of config.accessWarnings) log.warn({ code }, message)
  }
  const catalog = await discover(config.tools.directory ?? import.meta.dirname)
  const store = openStore(loaded, log)
  await waitForStore(store, STORE_WAIT_MS)
  const deps = { config, secrets, log, store, catalog, tracing }
  const service = stdio ? await serveStdio(deps) : await serveHttp(deps)
  // First: whoever waits for the line may stop the server right after it.
  // A promise that a tool forgot must not end everybody's calls.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  const stop = async () => {
    await service.stop()
    await tracing?.close()
  }
  stopOnSignals(stop, log)
  log.info({ transport: stdio ? 'stdio' : 'http', ...service }, 'ready')
}

/** The first signal stops cleanly, a second one at once. */
function stopOnSignals(stop: () => Promise<void>, log: RootLogger): void {
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
  // Not a signal: hosts end the input, and many send a signal right after it.
  if (stdio) process.stdin.once('end', () => void stopOnce('end of input'))
}

/** Faults of configuration and machine in words, since people read this one; ours with a stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof ConfigError || error instanceof DiscoveryError) return error.message
  // A port in use, a file that cannot be written: the system's message says which.
  return 'syscall' in error ? `Cannot start: ${error.message}` : String(error.stack)
}

try {
  await main()
} catch (error) {
  // Not `exitCode`: what was opened already, such as a connection to Redis, would keep the process.
  process.stderr.write(`${explain(error)}\n`, () => process.exit(1))
}
