/** Starting the process, with valid and invalid ports, configurations and secrets. */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { expect, onTestFinished, test } from 'vitest'
import { encryptConfigSecret } from '../../src/crypto/config-secret.ts'
import { freePort } from '../support/free-port.ts'
import { spawnServer, startServerProcess } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'

const STACK = /^ +at /m

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function temporaryFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-start-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

test.each([
  ['with sessions in memory', {}],
  ['with an unavailable Redis', { REDIS_URL: 'redis://127.0.0.1:1' }],
])('reports that the port is in use, and exits: %s', async (_name, env) => {
  const port = await takenPort()
  const server = spawnServer({ env: { ...env, MASK_MCP_PORT: String(port) } })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stderr).toContain(`address already in use 127.0.0.1:${port}`)
  expect(server.output.stderr).toContain('set MASK_MCP_PORT to a free port')
  expect(server.output.stderr).not.toMatch(STACK)
})

test('reports that the log file cannot be written, and exits', async () => {
  const file = join(temporaryFolder({ occupied: '' }), 'occupied', 'log')
  const server = spawnServer({ env: { LOG_FILE: file } })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stderr).toContain(file.slice(0, -4))
  expect(server.output.stderr).not.toMatch(STACK)
})

test('reports all configuration errors in one message', async () => {
  const server = spawnServer({
    env: { MASK_MCP_PORT: 'eighty', LOG_LEVEL: 'loud', SESSION_TTL: '1', REDIS_P: 'c2VjcmV0' },
  })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  const { stdout, stderr } = server.output
  expect(stdout).toBe('')
  for (const name of ['MASK_MCP_PORT', 'LOG_LEVEL', 'SESSION_TTL', 'ENCRYPTION_KEY']) {
    expect(stderr).toContain(name)
  }
  expect(stderr).not.toMatch(/eighty|loud|c2VjcmV0/)
  expect(stderr).not.toMatch(STACK)
})

test('refuses production without secrets and addresses', async () => {
  const server = spawnServer({ env: { NODE_ENV: 'production' } })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  const required = ['PUBLIC_URL', 'ENCRYPTION_KEY', 'JWT_SECRET', 'UPSTREAM_ISSUER']
  for (const name of required) expect(server.output.stderr).toContain(name)
  expect(server.output.stderr).not.toMatch(STACK)
})

test('reads .env, overridden by NAME.env, overridden by the environment', async () => {
  const folder = temporaryFolder({
    '.env': 'APP_NAME=from .env\nAPP_VERSION=1\nLOG_LEVEL=debug\n',
    'staging.env': 'APP_NAME=from staging.env\nAPP_VERSION=2\n',
  })
  const options = { folder, args: ['--env', 'staging'], env: { APP_VERSION: '3' } }
  const server = await startServerProcess(options)
  const { publicUrl } = await server.line('ready')
  expect(await (await fetch(String(publicUrl))).json()).toMatchObject({
    service: 'from staging.env',
    version: '3',
  })
  expect(await server.line('configuration')).toMatchObject({ level: 'debug' })
})

test('names the missing file of --env', async () => {
  const server = spawnServer({ args: ['--env', 'nowhere'] })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stderr).toContain('nowhere.env')
})

describeRedis('plain', 'a Redis with a password', () => {
  const password = 'p@ss wörd/:%'
  const [key, iv] = [Buffer.alloc(32, 7), Buffer.alloc(16, 9)]
  const keys = { ENCRYPTION_KEY: key.toString('hex'), ENCRYPTION_IV: iv.toString('hex') }
  const REDIS_P = encryptConfigSecret(password, { key, iv })

  test.each([
    ['REDIS_P', (port: number) => ({ REDIS_PORT: `${port}`, REDIS_P, ...keys })],
    ['REDIS_P and REDIS_URL', (port: number) => ({ REDIS_URL: redisUrl(port), REDIS_P, ...keys })],
    [
      'REDIS_P and a user',
      (port: number) => ({ REDIS_URL: redisUrl(port, 'default@'), REDIS_P, ...keys }),
    ],
    ['REDIS_URL', (port: number) => ({ REDIS_URL: redisUrl(port, `:${encoded()}@`) })],
  ])('is reached with %s', async (_name, env) => {
    const redis = await startRedis('plain')
    onTestFinished(() => redis.stop())
    const client = await createClient({ url: redis.url }).connect()
    await client.configSet('requirepass', password)
    client.destroy()
    const server = await startServerProcess({ env: { ...env(redis.port), LOG_LEVEL: 'debug' } })
    const { publicUrl } = await server.line('ready')
    // The server listens before its Redis is connected.
    await expect.poll(async () => (await fetch(`${publicUrl}/readyz`)).status).toBe(200)
    expect(server.output.stdout).not.toContain(password)
    expect(server.output.stdout).not.toContain(encoded())
  })

  const encoded = () => encodeURIComponent(password)
  const redisUrl = (port: number, user = '') => `redis://${user}127.0.0.1:${port}`
})

test('logs its URL if the port is given', async () => {
  const port = await freePort()
  const server = await startServerProcess({ env: { MASK_MCP_PORT: String(port) } })
  expect(await server.line('ready')).toMatchObject({ publicUrl: `http://localhost:${port}` })
})

test.each([
  ['auto', false],
  ['on', false],
  ['off', true],
])('warns if it starts without limits: RATE_LIMIT=%s', async (limit, isSaid) => {
  const server = await startServerProcess({ env: { RATE_LIMIT: limit } })
  expect(server.output.stdout.includes('RATE_LIMIT=off')).toBe(isSaid)
})
