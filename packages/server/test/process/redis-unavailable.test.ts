/** A Redis that is unavailable at start or later: 503 meanwhile, and nothing is lost. */

import { expect, onTestFinished, test } from 'vitest'
import { connectClient, errorCode, structured } from '../support/clients.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

const SOON = { interval: 50 }

async function startOn(redisUrl: string): Promise<{ url: string; server: ServerProcess }> {
  const server = await startServerProcess({ env: { REDIS_URL: redisUrl } })
  const { publicUrl } = await server.line('ready')
  return { url: String(publicUrl), server }
}

const readiness = async (url: string) => (await fetch(`${url}/readyz`)).status

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'by hand', version: '1.0.0' },
  },
}

function post(url: string, message: object, headers: Record<string, string> = {}) {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
  })
}

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `Redis (${kind})`, () => {
    test('that is unavailable at start is awaited', async () => {
      const redis = await startRedis(kind)
      onTestFinished(() => redis.stop())
      await redis.kill()
      const { url } = await startOn(redis.url)
      expect(await readiness(url)).toBe(503)
      expect((await fetch(`${url}/livez`)).status).toBe(200)
      expect((await post(url, INITIALIZE)).status).toBe(503)
      await redis.restart()
      await expect.poll(() => readiness(url), SOON).toBe(200)
      expect((await post(url, INITIALIZE)).status).toBe(200)
    })

    test('that is killed and restarted still has all sessions', async () => {
      const redis = await startRedis(kind)
      onTestFinished(() => redis.stop())
      const { url } = await startOn(redis.url)
      const { client, transport } = await connectClient(url, '2025-11-25')
      onTestFinished(() => client.close())
      const service = () => client.callTool({ name: 'service', arguments: {} })
      const login = await client.callTool({ name: 'login', arguments: {} })
      await signInAs(newBrowser(), structured<SignInLink>(login))
      expect(errorCode(await service())).toBeUndefined()

      await redis.kill()
      await expect.poll(() => readiness(url), SOON).toBe(503)
      const call = { jsonrpc: '2.0', id: 9, method: 'tools/list' }
      const unavailable = await post(url, call, { 'mcp-session-id': transport.sessionId ?? '' })
      expect(unavailable.status).toBe(503)
      expect(unavailable.headers.get('retry-after')).toBe('1')
      expect(await unavailable.json()).toMatchObject({
        id: 9,
        error: { data: { code: 'unavailable' } },
      })

      await redis.restart()
      await expect.poll(() => readiness(url), SOON).toBe(200)
      expect((await service()).structuredContent).toMatchObject({ owner: 'Ada Lovelace' })
    })
  })
}
