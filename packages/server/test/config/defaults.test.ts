/** The configuration when few or no variables are set. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KEY, load, production } from './load.ts'

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))

describe('with nothing set', () => {
  it('is a development server without dependencies', () => {
    const { config } = load()
    expect(config).toEqual({
      env: 'development',
      isProduction: false,
      usesDevelopmentKey: true,
      app: { name: 'MCP Template', identifier: 'MCP Template', version: manifest.version },
      pages: { color: '#1f4fbf' },
      serves: {
        sse: true,
        direct: true,
        landingPage: true,
        metrics: true,
        traces: true,
        era2025: true,
      },
      landing: { showsTools: true },
      workers: 1,
      http: {
        host: '127.0.0.1',
        port: 6901,
        allowedHosts: [],
        allowedOrigins: [],
        bodyLimitBytes: 1_048_576,
        bodyMaxValues: 10_000,
        maxBodyBytesInProgress: 67_108_864,
        maxSockets: 10_000,
        keepAliveSeconds: 65,
        trustedProxies: 0,
        rateLimit: true,
        countsThisMachine: false,
        fastPath: true,
        callerRate: 3000,
        addressRate: 12_000,
        maxStreams: 2000,
        maxNodeStreams: 10_000,
        maxCalls: 500,
        maxConnections: 10_000,
        storedRate: 2 * 1024 * 1024,
        stopDelaySeconds: 1,
      },
      log: { level: 'info' },
      metrics: { host: '127.0.0.1' },
      store: { kind: 'memory' },
      session: { ttlSeconds: 3600, unusedTtlSeconds: 60, dataLimitBytes: 262_144 },
      signIn: { ttlSeconds: 600 },
      auth: {
        required: false,
        issuer: {
          kind: 'built-in',
          algorithm: 'HS256',
          login: 'on-demand',
          codeTtl: 600,
          accessTokenTtl: 3600,
          refreshTokenTtl: 1_209_600,
          refreshGrace: 60,
          redirectSchemes: ['cursor', 'vscode', 'vscode-insiders', 'windsurf', 'claude'],
        },
      },
      startTimeoutSeconds: 30,
      tools: { textFormat: 'json', timeoutSeconds: 60, resultLimitBytes: 10_485_760 },
      upstream: { kind: 'demo' },
      outgoing: { noProxy: [] },
      accessWarnings: [],
    })
  })

  it('has the same key in every process, and reports that it is the published one', () => {
    const [first, second] = [load().secrets, load().secrets]
    expect(first.encryptionKeys).toHaveLength(1)
    expect(first.encryptionKeys[0]).toHaveLength(32)
    expect(first.encryptionKeys).toEqual(second.encryptionKeys)
  })

  it('counts empty variables as unset', () => {
    expect(load({ MASK_MCP_PORT: '', REDIS_HOST: '', UPSTREAM_ISSUER: '' })).toEqual(load())
  })
})

describe('a loaded configuration', () => {
  it('cannot be changed, at any depth', () => {
    const { config, secrets } = load({ ALLOWED_HOSTS: 'mcp.example.com' })
    expect(() => Object.assign(config, { env: 'production' })).toThrow(TypeError)
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError)
    expect(() => (config.http.allowedHosts as string[]).push('evil.example')).toThrow(TypeError)
    expect(() => Object.assign(secrets, { redisPassword: 'x' })).toThrow(TypeError)
    expect(() => (secrets.encryptionKeys as Buffer[]).pop()).toThrow(TypeError)
  })

  it('has the values of the variables', () => {
    const { config } = load({
      NODE_ENV: 'test',
      APP_NAME: 'Accounts',
      APP_VERSION: '9.9.9',
      MASK_MCP_HOST: '0.0.0.0',
      MASK_MCP_PORT: '0',
      PUBLIC_URL: 'https://mcp.test:8080/',
      ALLOWED_HOSTS: 'MCP.test, other.test:8443,,[::1]:80',
      ALLOWED_ORIGINS: 'https://a.test , vscode-file://vscode-app',
      BODY_LIMIT_BYTES: '2048',
      LOG_LEVEL: 'debug',
      LOG_FILE: 'server.log',
      SESSION_TTL: '120',
      SIGN_IN_TTL: '60',
      TOOL_TEXT_FORMAT: 'toon',
      TOOL_TIMEOUT: '5',
    })
    expect(config).toMatchObject({
      env: 'test',
      app: { name: 'Accounts', version: '9.9.9' },
      http: {
        host: '0.0.0.0',
        port: 0,
        publicUrl: 'https://mcp.test:8080',
        allowedHosts: ['mcp.test', 'other.test:8443', '[::1]:80'],
        allowedOrigins: ['https://a.test', 'vscode-file://vscode-app'],
        bodyLimitBytes: 2048,
        trustedProxies: 0,
        maxStreams: 2000,
        maxNodeStreams: 10_000,
        maxCalls: 500,
        maxConnections: 10_000,
        storedRate: 2 * 1024 * 1024,
        stopDelaySeconds: 1,
      },
      log: { level: 'debug', file: 'server.log' },
      session: { ttlSeconds: 120 },
      signIn: { ttlSeconds: 60 },
      tools: { textFormat: 'toon', timeoutSeconds: 5 },
    })
  })

  it('is production with Redis once all required variables are set', () => {
    const { config, secrets } = load(production)
    expect(config.isProduction).toBe(true)
    expect(config.usesDevelopmentKey).toBe(false)
    expect(config.http.publicUrl).toBe('https://mcp.example.com')
    expect(config.http.countsThisMachine).toBe(true)
    expect(config.store).toMatchObject({ kind: 'redis', host: '127.0.0.1', port: 6379 })
    expect(secrets.encryptionKeys.map((key) => key.toString('hex'))).toEqual([KEY])
  })
})
