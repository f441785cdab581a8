/** `startTestServer`: a real server for a project's tests, with the demo or with responses of the test. */

import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool, UpstreamError } from '../../src/index.ts'
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../../src/testing/index.ts'
import branches from '../fixtures/bank/resources/branches.ts'
import service from '../fixtures/bank/tools/service.ts'
import { connectClient, ERAS, errorCode, structured } from '../support/clients.ts'
import { login } from '../support/sign-in.ts'

const project = join(import.meta.dirname, '../fixtures/bank')
const server = defineServer({ name: 'acme-desk', title: 'Acme Desk', version: '3.2.1' })

const ping = defineTool({
  name: 'ping',
  description: 'Answers.',
  input: z.object({}),
  output: z.object({ pong: z.boolean() }),
  run: async () => ({ pong: true }),
})

const running: TestServer[] = []

async function start(options: TestServerOptions): Promise<TestServer> {
  const started = await startTestServer(options)
  running.push(started)
  return started
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()))
})

async function callSignedIn({ url, signIn }: TestServer, name: string, input = {}) {
  const link = await login(url)
  await signIn(link)
  const { client } = await connectClient(url, '2026-07-28')
  const result = await client.callTool({ name, arguments: { session: link.session, ...input } })
  await client.close()
  return result
}

describe('a test server', () => {
  it.each(ERAS)('serves the declarations of a test, in the era %s', async (era) => {
    const { url, log } = await start({ server, tools: [ping], resources: [branches] })
    const { client } = await connectClient(url, era)
    expect(client.getServerVersion()).toMatchObject({ title: 'Acme Desk', version: '3.2.1' })
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['login', 'logout', 'ping', 'session'])
    expect(structured(await client.callTool({ name: 'ping', arguments: {} }))).toEqual({
      pong: true,
    })
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1)
    await client.close()
    expect(log().length).toBeGreaterThan(0)
  })

  it('has no session tools if the server has none', async () => {
    const without = defineServer({ name: 'acme-desk', sessionTools: false })
    const { url } = await start({ server: without, tools: [ping] })
    const { client } = await connectClient(url, '2026-07-28')
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['ping'])
    await client.close()
  })

  it('serves a project, whose calls reach the demo bank as the person', async () => {
    const started = await start({ project })
    const result = await callSignedIn(started, 'service')
    expect(structured(result)).toMatchObject({ owner: 'Ada Lovelace' })
    expect(started.requests).toEqual([])
  })

  it('answers as the upstream API instead of the demo bank', async () => {
    const account = {
      ...{ id: 'acc-7', owner: 'Grace', accountNumber: '12345678', iban: 'GB33BUKB20201555555555' },
      ...{ email: 'grace@example.com', balance: 7, currency: 'USD' },
    }
    const upstream = { 'GET /accounts/{id}': account }
    const started = await start({ server, tools: [service], upstream })
    const result = await callSignedIn(started, 'service', { accountId: 'acc-7' })
    expect(structured(result)).toMatchObject({ owner: 'Grace', accountNumber: '****5678' })
    expect(started.requests).toMatchObject([
      { route: 'GET /accounts/{id}', params: { id: 'acc-7' } },
    ])
  })

  it('fails as the upstream API does', async () => {
    const upstream = { 'GET /accounts/{id}': new UpstreamError('upstream_rejected') }
    const started = await start({ server, tools: [service], upstream })
    expect(errorCode(await callSignedIn(started, 'service'))).toBe('upstream_rejected')
  })

  it('names requests without a response of the test when it stops', async () => {
    const started = await startTestServer({ server, tools: [service], upstream: {} })
    await callSignedIn(started, 'service')
    await expect(started.stop()).rejects.toThrow('no upstream answer for: GET /accounts/me')
  })

  it('refuses a response for an impossible request', async () => {
    const upstream = { '/accounts': {} }
    await expect(startTestServer({ server, upstream })).rejects.toThrow('must be like')
    const open = { name: 'open', description: 'A.', input: z.object({}), output: z.any() }
    const tools = [defineTool({ ...open, run: async () => 1 })]
    await expect(startTestServer({ server, tools })).rejects.toThrow('tool "open": output is open')
  })
})
