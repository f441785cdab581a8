/** OpenTelemetry's SDK, prom-client, oidc-provider and the clients of Redis and HTTP are loaded only where used. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCollector } from '../support/otlp-collector.ts'
import { startServerProcess } from '../support/process.ts'

/** The packages of every script that a process ran, as listed by V8. */
async function packagesLoaded(env: Record<string, string>): Promise<ReadonlySet<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'loaded-'))
  try {
    const server = await startServerProcess({ env: { NODE_V8_COVERAGE: folder, ...env } })
    await server.stop()
    const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    const urls = reports.flatMap((report) => (JSON.parse(report) as Report).result)
    const names = urls.map(({ url }) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
    return new Set(names.filter((name) => name !== undefined))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Report {
  readonly result: readonly { readonly url: string }[]
}

/** A dependency of prom-client, which checks for tracing. */
const API = '@opentelemetry/api'
const traces = (names: ReadonlySet<string>) =>
  [...names].filter((name) => name.startsWith('@opentelemetry/') && name !== API)

test('without an endpoint nothing of it is loaded', async () => {
  const names = await packagesLoaded({ STOP_DELAY: '0' })
  expect(names).toContain('prom-client')
  expect(traces(names)).toEqual([])
})

test('with one it is', async () => {
  const collector = await startCollector()
  const env = { STOP_DELAY: '0', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` }
  const names = await packagesLoaded(env)
  collector.close()
  expect(traces(names)).toContain('@opentelemetry/sdk-trace')
})

test('with metrics: false neither prom-client nor its dependencies are loaded', async () => {
  const FIXTURE_SERVER = JSON.stringify({ metrics: false })
  const names = await packagesLoaded({ STOP_DELAY: '0', FIXTURE_SERVER })
  expect(names).toContain('hono')
  expect(names).not.toContain('@redis/client')
  expect(names).not.toContain('prom-client')
  expect(traces(names)).toEqual([])
})

test('the authorization server is loaded on first use, unless clients must be checked', async () => {
  const UPSTREAM = {
    STOP_DELAY: '0',
    UPSTREAM_ISSUER: 'https://id.example.com',
    UPSTREAM_CLIENT_ID: 'test',
    UPSTREAM_CLIENT_SECRET: 'test',
    UPSTREAM_API_URL: 'https://api.example.com',
  }
  expect(await packagesLoaded(UPSTREAM)).not.toContain('oidc-provider')
  const OAUTH_CLIENTS = JSON.stringify([
    { client_id: 'known', redirect_uris: ['http://127.0.0.1/callback'] },
  ])
  expect(await packagesLoaded({ ...UPSTREAM, OAUTH_CLIENTS })).toContain('oidc-provider')
})

test('the HTTP client for the upstream and its provider is loaded with the first request', async () => {
  const API = {
    UPSTREAM_AUTH: 'key',
    UPSTREAM_API_URL: 'https://api.example.com',
    UPSTREAM_KEY_CHECK: '/me',
  }
  const PROXY = { HTTPS_PROXY: 'http://proxy.example.com:3128' }
  const names = await packagesLoaded({ STOP_DELAY: '0', ...API, ...PROXY })
  expect(names).toContain('hono')
  for (const name of ['undici', 'openid-client', 'oauth4webapi', 'jose', 'oidc-provider']) {
    expect(names).not.toContain(name)
  }
})
