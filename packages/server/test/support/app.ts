/** The complete server in this process, on a free port, with recorded log lines. */

import { join } from 'node:path'
import type { Hono } from 'hono'
import { readLogo } from '../../src/config/logo-file.ts'
import { loadConfig } from '../../src/config.ts'
import type { ServerDefinition } from '../../src/define-server.ts'
import type { Catalog } from '../../src/engine/discover.ts'
import { createLogger } from '../../src/logger.ts'
import { declaredSources, loadCatalog, openProject } from '../../src/project.ts'
import { serveHttp } from '../../src/serve-http.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { createRedisStore } from '../../src/store/redis.ts'
import type { TracingOptions } from '../../src/telemetry/tracing.ts'

export interface TestApp {
  /** The public URL; a loopback URL unless `PUBLIC_URL` is set. */
  readonly url: string
  /** The URL it listens on. */
  readonly localUrl: string
  /** The URL of `/metrics`, with METRICS_PORT. */
  readonly metricsPort: number | undefined
  /** Every log line, at trace level. */
  readonly lines: readonly string[]
  readonly store: Store
  stop(): Promise<void>
}

export interface TestAppOptions {
  /** Variables in addition to those of every test app. */
  readonly env?: Readonly<Record<string, string>>
  /** The folder of `tools/`, `resources/` and `prompts/`; `fixtures/bank` by default. */
  readonly catalogDirectory?: string
  /** The declaration in `src/server.ts`, except the name. */
  readonly server?: Partial<ServerDefinition>
  /** Replaces the configured store. */
  readonly store?: Store
  /** CA certificates for fetching client metadata documents, in PEM. */
  readonly documentCa?: string
  /** The upstream API, instead of the demo bank. */
  readonly demoApi?: Hono
}

/** The default catalog: `fixtures/bank` and the session tools. */
export async function bankCatalog(): Promise<Catalog> {
  return loadCatalog(await bankProject())
}

async function bankProject(further: Partial<ServerDefinition> = {}) {
  const project = await openProject(join(import.meta.dirname, '../fixtures/bank'))
  return { ...project, server: { ...project.server, ...further }, version: further.version }
}

/** Loads OpenTelemetry only for tests of traces. */
async function startTracing(options: TracingOptions) {
  const { createOtlpTracing } = await import('../../src/telemetry/otlp-tracing.ts')
  return createOtlpTracing(options)
}

/** Starts a server; the caller must stop it. */
export async function startApp(options: TestAppOptions = {}): Promise<TestApp> {
  const env = {
    NODE_ENV: 'test',
    MASK_MCP_PORT: '0',
    LOG_LEVEL: 'trace',
    STOP_DELAY: '0',
    ...options.env,
  }
  const project = await bankProject(options.server)
  const declared = options.server && declaredSources(project)
  const { config, secrets } = loadConfig({ env, cwd: import.meta.dirname, ...declared })
  const lines: string[] = []
  const onFailure = (error: unknown) => log.warn({ err: error }, 'traces cannot be sent')
  const headers = secrets.otlpHeaders
  const tracing = config.traces && (await startTracing({ ...config.traces, headers, onFailure }))
  const log = createLogger({
    ...config.log,
    level: 'trace',
    ...config.app,
    destination: { write: (line) => void lines.push(line) },
    ...(tracing !== undefined && { lineFields: tracing.logFields }),
  })
  const store =
    options.store ??
    (config.store.kind === 'redis'
      ? createRedisStore({
          ...config.store,
          password: secrets.redisPassword,
          sentinelPassword: secrets.redisSentinelPassword,
          certificates: secrets.redisTls,
          log,
        })
      : createMemoryStore())
  const catalog = await loadCatalog(project, options.catalogDirectory)
  const { documentCa, demoApi } = options
  const logo = readLogo(project.server.branding?.logo, project.source)
  const deps = { config, secrets, log, store, catalog, logo, documentCa, demoApi, tracing }
  const service = await serveHttp(deps)
  const { publicUrl: url, port, metricsPort } = service
  const localUrl = `http://localhost:${port}`
  async function stop() {
    await service.stop()
    await tracing?.close()
    await log.close()
  }
  return { url, localUrl, metricsPort, lines, store, stop }
}
