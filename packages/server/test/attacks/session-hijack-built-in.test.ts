/**
 * Session hijack with tokens of the built-in server, on every node and endpoint (CVE-2025-6515,
 * CVE-2026-33946), and revocation of tokens in use.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createId } from '../../src/crypto/random-id.ts'
import { errorCode, structured } from '../support/clients.ts'
import { postDirect } from '../support/direct.ts'
import { listen } from '../support/event-reader.ts'
import {
  claimsOf,
  createOAuthClient,
  type OAuthClient,
  type Tokens,
} from '../support/oauth-client.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { faultsIn, startThreeNodes, type ThreeNodes } from '../support/three-nodes.ts'
import { withToken } from '../support/token-app.ts'
import {
  type HeaderFields,
  INITIALIZE,
  post,
  postModern,
  postText,
  read,
  request,
} from '../support/wire.ts'

const remember = (text?: string) => ({ name: 'remember', arguments: { ...(text && { text }) } })

describeRedis('plain', 'on three nodes', () => {
  let cluster: ThreeNodes
  let client: OAuthClient
  let alice: Tokens
  let bob: Tokens
  beforeAll(async () => {
    cluster = await startThreeNodes({ env: () => ({ RATE_LIMIT: 'off' }) })
    client = await createOAuthClient(cluster.url, { nodes: cluster.urls })
    alice = await client.connect()
    bob = await client.connect()
  })
  afterAll(() => cluster?.stop())

  const sessionOf = ({ access_token: token }: Tokens) => String(claimsOf(token).session_id)
  const bearer = ({ access_token: token }: Pick<Tokens, 'access_token'>) => withToken(token)

  /** The text stored in the session of these tokens, read at one node. */
  async function remembered(url: string, tokens: Tokens, text?: string): Promise<string> {
    const headers = bearer(tokens)
    const { message } = await read(postModern(url, 'tools/call', remember(text), { headers }))
    return structured<{ before: string }>(message.result ?? {}).before
  }

  /** Every request that can use another caller's id. */
  async function attempts(url: string, id: string, thief: HeaderFields) {
    const headers = { ...thief, 'mcp-session-id': id }
    const json = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    const call = JSON.stringify(request('tools/call', remember('stolen')))
    const paths = thief.authorization === undefined ? ['/mcp'] : ['/mcp', '/http']
    const sent = paths.flatMap((path) => [
      fetch(url + path, { method: 'POST', headers: { ...json, ...headers }, body: call }),
      fetch(url + path, { headers: { ...headers, accept: 'text/event-stream' } }),
      fetch(url + path, { method: 'DELETE', headers }),
    ])
    const older = [
      fetch(`${url}/sse?session_id=${id}`, { headers: { ...thief, accept: 'text/event-stream' } }),
      fetch(`${url}/messages?session_id=${id}`, {
        method: 'POST',
        headers: { ...json, ...thief },
        body: call,
      }),
    ]
    const answers = await Promise.all([...sent, ...older].map(read))
    return answers.map(({ status, text }) => ({ status, text: text.replaceAll(id, 'ID') }))
  }

  test('MCP sessions of Alice are as unknown to Bob, and without a token, as nonexistent ones', async () => {
    await remembered(cluster.urls[0], alice, 'hers')
    const opened = await read(post(cluster.urls[0], INITIALIZE, bearer(alice)))
    const id = opened.headers.get('mcp-session-id') ?? expect.fail('no connection')
    for (const url of cluster.urls) {
      for (const thief of [bearer(bob), {}]) {
        for (const stolen of [id, sessionOf(alice)]) {
          const kind = stolen === id ? 'con' : 'ses'
          const missed = await attempts(url, createId(kind), thief)
          expect(await attempts(url, stolen, thief)).toEqual(missed)
          expect(new Set(missed.map(({ status }) => status))).toEqual(new Set([404]))
        }
      }
    }
    const own = { ...bearer(alice), 'mcp-session-id': id }
    for (const url of cluster.urls) {
      expect((await read(post(url, request('ping'), own))).status).toBe(200)
      expect(await remembered(url, alice)).toBe('hers')
    }
  })

  test('the id of a session in a token is no handle, for anybody', async () => {
    for (const url of cluster.urls) {
      for (const headers of [{}, bearer(bob), bearer(alice)]) {
        for (const name of ['session', 'service', 'logout', 'login', 'remember']) {
          const params = { name, arguments: { session: sessionOf(alice) } }
          const { message } = await read(postModern(url, 'tools/call', params, { headers }))
          expect(['session_not_found', undefined]).toContain(errorCode(message.result ?? {}))
          expect(JSON.stringify(message)).not.toContain('hers')
        }
      }
    }
    expect(await remembered(cluster.urls[1], alice)).toBe('hers')
  })

  test("direct calls reach the caller's own session only", async () => {
    for (const url of cluster.urls) {
      const session = sessionOf(alice)
      const options = { headers: { ...bearer(bob), 'mcp-session-id': session } }
      for (const params of [{ name: 'remember' }, { name: 'remember', arguments: { session } }]) {
        const answer = await postDirect(
          url,
          JSON.stringify({ method: 'tools/call', params }),
          options,
        )
        expect(JSON.stringify(answer.body)).not.toContain('hers')
      }
      const without = await postDirect(
        url,
        JSON.stringify({ method: 'tools/call', params: { name: 'remember' } }),
      )
      expect(without.status).toBe(401)
    }
  })

  test('what each of thirty callers stores stays with that caller', async () => {
    const callers = await Promise.all(Array.from({ length: 30 }, () => client.connect()))
    const at = (index: number) => cluster.urls[index % 3] ?? ''
    await Promise.all(callers.map((tokens, index) => remembered(at(index), tokens, `own ${index}`)))
    const seen = await Promise.all(
      callers.map((tokens, index) => remembered(at(index + 1), tokens)),
    )
    expect(seen).toEqual(callers.map((_, index) => `own ${index}`))
  })

  describe('a token that is used on all nodes', () => {
    type End = (tokens: Tokens) => Promise<unknown>
    const ends: readonly [string, End][] = [
      ['revoked', ({ access_token: token }) => client.revoke(token)],
      ['revoked with its refresh token', ({ refresh_token: token }) => client.revoke(token)],
      [
        'logged out',
        async (tokens) => {
          const logout = { name: 'logout', arguments: {} }
          const options = { headers: bearer(tokens) }
          return read(postModern(cluster.urls[0], 'tools/call', logout, options))
        },
      ],
    ]

    test.each(ends)('is refused by every node when it was %s', async (_how, end) => {
      for (let round = 0; round < 5; round += 1) {
        const tokens = await client.connect()
        const headers = bearer(tokens)
        let isOver = false
        const late: number[] = []
        const use = async (url: string) => {
          for (let count = 0; count < 10_000; count += 1) {
            const wasOver = isOver
            const { status } = await read(postModern(url, 'tools/list', {}, { headers }))
            expect([200, 401]).toContain(status)
            if (wasOver) return void late.push(status)
          }
        }
        const users = cluster.urls.flatMap((url) => [use(url), use(url)])
        await end(tokens)
        // Requested after the response: none is accepted.
        isOver = true
        await Promise.all(users)
        expect(late).toEqual([401, 401, 401, 401, 401, 401])
      }
    })

    test('ends its streams when the session ends', async () => {
      const tokens = await client.connect()
      const streams = await Promise.all(
        cluster.urls.map((url) => listen(`${url}/sse`, bearer(tokens))),
      )
      await Promise.all(streams.map((each) => each.until(({ event }) => event === 'endpoint')))
      await client.revoke(tokens.refresh_token)
      await Promise.all(streams.map(({ ended }) => ended))
      const again = await fetch(`${cluster.urls[1]}/sse`, { headers: bearer(tokens) })
      expect(again.status).toBe(401)
      await again.text()
    })
  })

  test('a token in the query, in the body or in a cookie is ignored', async () => {
    const [url] = cluster.urls
    const { access_token: token } = alice
    const query = await fetch(`${url}/http?access_token=${token}`, { method: 'POST' })
    expect(query.status).not.toBe(200)
    const cookie = { cookie: `access_token=${token}; Authorization=Bearer ${token}` }
    expect((await postDirect(url, '{"method":"tools/list"}', { headers: cookie })).status).toBe(401)
    const two = { authorization: `Bearer ${token}, Bearer ${bob.access_token}` }
    expect((await read(postText(url, '{}', two))).status).toBe(400)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
