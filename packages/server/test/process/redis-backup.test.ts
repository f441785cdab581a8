/** Backup and restore of Redis as docs/operations.md describes them. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { callWith, login, newBrowser, signInAs } from '../support/sign-in.ts'

const run = promisify(execFile)
const redisCli = ({ port }: RedisServer, ...args: readonly string[]) =>
  run('redis-cli', ['-p', String(port), ...args])

async function started(...options: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis('plain', options)
  onTestFinished(() => redis.stop())
  return redis
}

describeRedis('plain', 'a backup of Redis', () => {
  test('restores sign-ins and authorized clients', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-backup-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const first = await started()
    const MASK_MCP_PORT = String(await freePort())
    const before = await startApp({ env: { REDIS_URL: first.url, MASK_MCP_PORT } })
    const link = await login(before.url)
    await signInAs(newBrowser(), link)
    const client = await createOAuthClient(before.url)
    const { refresh_token: token } = await client.connect()

    await redisCli(first, '--rdb', join(folder, 'dump.rdb'))
    await before.stop()
    await first.kill()

    // With an append-only file from the start it would not load the dump.
    const second = await started('--dir', folder, '--appendonly', 'no')
    await redisCli(second, 'config', 'set', 'appendonly', 'yes')
    const { url, stop } = await startApp({ env: { REDIS_URL: second.url, MASK_MCP_PORT } })
    onTestFinished(stop)
    expect(await callWith(url, link.session, 'service')).toMatchObject({
      structuredContent: { owner: 'Ada Lovelace' },
    })
    expect((await client.refresh(token)).status).toBe(200)
  })
})
