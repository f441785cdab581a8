/** Streams outlive the token that opened them, and end with its session on any node. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  authorize,
  bearer,
  logout,
  openMcpSession,
  personsBrowser,
} from '../support/authorize-again.ts'
import { listen, listenTo, responseTo } from '../support/event-reader.ts'
import type { OAuthClient, Tokens } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { openSse, sendSse } from '../support/sse.ts'
import { postModern, request } from '../support/wire.ts'

const TOKEN_SECONDS = 30

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startOAuthNodes({ ACCESS_TOKEN_TTL: String(TOKEN_SECONDS) })
    client = await cluster.client()
  })
  afterAll(() => cluster?.stop())

  /** One of each kind, held by different nodes. */
  async function openAll(tokens: Tokens) {
    const [a, b, c] = cluster.urls
    const headers = bearer(tokens)
    const connection = await openMcpSession(a, tokens)
    const legacy = await listen(`${b}/mcp`, { ...headers, 'mcp-session-id': connection })
    const params = { notifications: { toolsListChanged: true } }
    const modern = await listenTo((signal) =>
      postModern(c, 'subscriptions/listen', params, { headers, signal }),
    )
    const sse = await openSse(a, undefined, headers)
    return { legacy, modern, sse }
  }

  test('they stay open when the token has expired, and deliver results', {
    timeout: 240_000,
  }, async () => {
    const tokens = await authorize(client, personsBrowser())
    const { legacy, modern, sse } = await openAll(tokens)
    const [a, b, c] = cluster.urls
    const postTo = (token: Tokens) => async (path: string, message: object) =>
      (await sendSse(b, path, message, bearer(token))).status
    const { data: path } = await sse.until(({ event }) => event === 'endpoint')
    const post = postTo(tokens)
    const initialize = { ...request('initialize', INITIALIZE_2024, 'init') }
    expect(await post(path, initialize)).toBe(202)
    await sse.until(responseTo('init'))
    // Started with the first token, answered after its expiry.
    const slow = { name: 'steps', arguments: { steps: TOKEN_SECONDS + 6, everyMs: 1000 } }
    expect(await post(path, request('tools/call', slow, 'slow'))).toBe(202)
    await sse.until(responseTo('slow'), 90_000)
    const over = new Set<string>()
    for (const [name, { ended }] of Object.entries({ legacy, modern, sse })) {
      void ended.then(() => over.add(name))
    }
    await delay(10)
    expect([...over]).toEqual([])
    expect((await fetch(`${a}/sse`, { headers: bearer(tokens) })).status).toBe(401)
    const renewed = (await client.refresh(tokens.refresh_token)).body as unknown as Tokens
    expect(await postTo(renewed)(path, request('tools/list', {}, 'list'))).toBe(202)
    await sse.until(responseTo('list'))
    // Another node ends them.
    await logout(c, renewed)
    expect(await Promise.all([legacy.ended, modern.ended, sse.ended])).toEqual([true, true, true])
    expect(modern.messages.at(-1)).toMatchObject({ id: 1, result: COMPLETE })
  })

  test('the revocation of their grant ends them, and not those of another grant', async () => {
    const browser = personsBrowser()
    const tokens = await authorize(client, browser)
    const other = await authorize(client, browser)
    const hers = await openAll(tokens)
    const kept = await openAll(other)
    expect((await client.revoke(tokens.refresh_token)).status).toBe(200)
    const { legacy, modern, sse } = hers
    expect(await Promise.all([legacy.ended, modern.ended, sse.ended])).toEqual([true, true, true])
    expect(modern.messages.at(-1)).toMatchObject({ id: 1, result: COMPLETE })
    const message = request('ping', {}, 'still')
    const { data: path } = await kept.sse.until(({ event }) => event === 'endpoint')
    expect((await sendSse(cluster.urls[1], path, message, bearer(other))).status).toBe(202)
    for (const each of Object.values(kept)) each.close()
  })
})

const INITIALIZE_2024 = {
  protocolVersion: '2024-11-05',
  capabilities: {},
  clientInfo: { name: 'by hand', version: '1' },
}

const COMPLETE = {
  resultType: 'complete',
  _meta: { 'io.modelcontextprotocol/subscriptionId': 1 },
}
