/** Reads the configuration, opens the store, serves, and stops cleanly. */

import { ConfigError, type LoadedConfig, loadConfig } from './config.ts'
import { DiscoveryError, discover } from './engine/discover.ts'
import { createLogger, type RootLogger } from './logger.ts'
import { serveHttp } from './serve-http.ts'
import { serveStdio } from './serve-stdio.ts'
import { createMemoryStore } from './store/memory.ts'
import type { Store } from './store/port.ts'
import { createRedisStore } from './store/redis.ts'

const stdio = process.argv[2] === 'stdio'

function openStore({ config, secrets }: LoadedConfig, log: RootLogger): Store {
  if (config.store.kind === 'memory') return createMemoryStore({ log })
  return createRedisStore({ ...config.store, password: secrets.redisPassword, log })
}

async function main(): Promise<void> {
  const loaded = loadConfig({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() })
  const { config, secrets } = loaded
  const log = createLogger({
    ...config.log,
    ...config.app,
    destination: stdio ? 'stderr' : 'stdout',
  })
  log.debug({ config }, 'configuration')
  if (config.usesDevelopmentKey) {
    log.warn('ENCRYPTION_KEY is not set: the published development key is used')
  }
  const catalog = await discover(config.tools.directory ?? import.meta.dirname)
  const store = openStore(loaded, log)
  const deps = { config, secrets, log, store, catalog }
  const service = stdio ? await serveStdio(deps) : await serveHttp(deps)
  log.info({ transport: stdio ? 'stdio' : 'http', ...service }, 'ready')
  stopOnSignals(service.stop, log)
}

/** The first signal stops cleanly, a second one at once. */
function stopOnSignals(stop: () => Promise<void>, log: RootLogger): void {
  let stopping = false
  const onSignal = async (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    await stop()
    log.info('stopped')
    await log.close()
    process.exit(0)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  if (stdio) process.stdin.once('end', () => onSignal('SIGTERM'))
}

try {
  await main()
} catch (error) {
  // Before there is a log; people read this one.
  const expected = error instanceof ConfigError || error instanceof DiscoveryError
  process.stderr.write(`${expected ? error.message : String((error as Error).stack)}\n`)
  process.exitCode = 1
}
