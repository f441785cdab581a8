/** Metrics in a real scrape after real traffic: each event counted once, and never an id. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outcomeLabel } from '../../src/engine/tool-error.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS } from '../support/clients.ts'
import { failingStore } from '../support/failing-store.ts'
import { scrape } from '../support/scrape.ts'
import { callWith, login, newBrowser, signInAs, stopBeforeCallback } from '../support/sign-in.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const LISTEN = { notifications: { toolsListChanged: true } }

const store = failingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store, env: { MAX_STREAMS: '3' } })
})
afterAll(() => app.stop())

/** Expects that `work` adds this number; polled, since a client may see its response before it is counted. */
async function expectMore(
  work: () => Promise<unknown>,
  name: string,
  labels: Record<string, string>,
  count: number,
): Promise<void> {
  const value = async () => (await scrape(app.url)).sum(name, labels)
  const before = await value()
  await work()
  await expect.poll(async () => (await value()) - before).toBe(count)
}

describe('tool calls', () => {
  test.each(ERAS)('are counted by tool and outcome (%s)', async (era) => {
    const labels = { tool: 'session', outcome: 'ok' }
    const call = async () => {
      const { client } = await connectClient(app.url, era)
      await client.callTool({ name: 'session', arguments: {} })
      await client.close()
    }
    await expectMore(call, 'mcp_tool_call_duration_seconds_count', labels, 1)
  })

  test('with the code of an error', async () => {
    const bad = () => callWith(app.url, 'ses_nonsense', 'service')
    const labels = { tool: 'service', outcome: 'session_not_found' }
    await expectMore(bad, 'mcp_tool_call_duration_seconds_count', labels, 1)
  })

  test('of unknown tools have one label for all', async () => {
    const calls = async () => {
      for (const name of ['made-up-1', 'made-up-2']) {
        await read(postModern(app.url, 'tools/call', { name, arguments: {} }))
      }
    }
    const labels = { tool: 'unknown', outcome: 'unknown_tool' }
    await expectMore(calls, 'mcp_tool_call_duration_seconds_count', labels, 2)
    expect((await scrape(app.url)).text).not.toContain('made-up')
  })
})

describe('requests', () => {
  const COUNT = 'mcp_http_request_duration_seconds_count'

  test('are counted by method, route and class of status', async () => {
    const live = () => fetch(`${app.url}/livez?x=1`)
    await expectMore(live, COUNT, { method: 'GET', route: '/livez', status: '2xx' }, 1)
  })

  test('for an unknown path have one label for all', async () => {
    const lost = () => fetch(`${app.url}/a-path-of-mine`)
    await expectMore(lost, COUNT, { route: 'unknown', status: '4xx' }, 1)
  })

  test('for a page with a handle have the route, not the handle', async () => {
    const { url } = await login(app.url)
    await expectMore(() => fetch(url), COUNT, { route: '/connect/:handle' }, 1)
  })

  test('at the authorization server and the demo are counted too', async () => {
    const metadata = '/.well-known/oauth-authorization-server'
    const look = () => fetch(`${app.url}${metadata}`)
    await expectMore(look, COUNT, { route: metadata }, 1)
    const demo = () => fetch(`${app.url}/demo/idp/.well-known/openid-configuration`)
    await expectMore(demo, COUNT, { route: '/demo/idp/*' }, 1)
  })

  test('cannot be hidden by a header that the 2025 era does not know', async () => {
    const headers = { ...(await connect(app.url)), 'mcp-method': 'subscriptions/listen' }
    const list = () => read(post(app.url, request('tools/list'), headers))
    await expectMore(list, COUNT, { method: 'POST', route: '/mcp', status: '2xx' }, 1)
  })

  test('that the guard refuses are counted', async () => {
    const foreign = () => fetch(`${app.url}/livez`, { headers: { origin: 'https://evil.example' } })
    await expectMore(foreign, COUNT, { route: '/livez', status: '4xx' }, 1)
  })
})

describe('streams', () => {
  const openStreams = async () => (await scrape(app.url)).sum('mcp_streams_open')
  const eventStream = { accept: 'text/event-stream' }

  test('are counted while they are open, and their duration is not that of a request', async () => {
    const headers = await connect(app.url)
    const controller = new AbortController()
    const { signal } = controller
    const listening = async () => {
      const response = await fetch(`${app.url}/mcp`, {
        headers: { ...headers, ...eventStream },
        signal,
      })
      expect(response.status).toBe(200)
      const { text, sum } = await scrape(app.url)
      expect(sum('mcp_streams_open', { kind: 'connection' }), text).toBe(1)
      controller.abort()
      await expect.poll(openStreams).toBe(0)
    }
    const labels = { method: 'GET', route: '/mcp', status: '2xx' }
    await expectMore(listening, 'mcp_http_request_duration_seconds_count', labels, 0)
  })

  test('above the limit of a caller are counted as refused', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const listen = () =>
      postModern(app.url, 'subscriptions/listen', LISTEN, { signal }).catch(() => undefined)
    const tooMany = async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, listen))
      expect(answers.map((answer) => answer?.status).sort()).toEqual([200, 200, 200, 429, 429])
    }
    await expectMore(tooMany, 'mcp_rate_limited_total', { scope: 'streams' }, 2)
    controller.abort()
    await expect.poll(openStreams).toBe(0)
  })
})

describe('sign-ins and sessions', () => {
  test('are counted by outcome', async () => {
    const before = await scrape(app.url)
    const good = await login(app.url)
    await signInAs(newBrowser(), good)
    const cancelled = await stopBeforeCallback(app, await login(app.url), { cancel: 'yes' })
    await cancelled.browser.open(cancelled.callback)
    await callWith(app.url, good.session, 'logout')
    const after = await scrape(app.url)
    const more = (name: string, labels: Record<string, string>) =>
      after.sum(name, labels) - before.sum(name, labels)
    expect(more('mcp_sign_ins_total', { outcome: 'signed_in' })).toBe(1)
    expect(more('mcp_sign_ins_total', { outcome: 'access_denied' })).toBe(1)
    expect(more('mcp_sessions_total', { change: 'created' })).toBe(2)
    expect(more('mcp_sessions_total', { change: 'authenticated' })).toBe(1)
    expect(more('mcp_sessions_total', { change: 'ended' })).toBe(1)
  })
})

describe('the store', () => {
  test('has its commands timed', async () => {
    const ready = () => fetch(`${app.url}/readyz`)
    const seconds = 'mcp_store_command_duration_seconds_count'
    await expectMore(ready, seconds, { command: 'ping' }, 1)
  })

  test('has its failed commands counted', async () => {
    store.disconnect()
    const ready = () => fetch(`${app.url}/readyz`)
    await expectMore(ready, 'mcp_store_errors_total', { command: 'ping' }, 1)
    store.reconnect()
  })
})

test('undeclared outcomes of tools have one label for all', () => {
  const known = ['ok', 'input_required', 'timeout', 'unavailable', 'upstream_timeout']
  expect(known.map(outcomeLabel)).toEqual(known)
  expect(['card_declined', 'toString', ''].map(outcomeLabel)).toEqual(['other', 'other', 'other'])
})
