/** The end of personal access tokens on three nodes and one Redis: revoked, signed out, idle. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { sessionOfToken } from '../../src/session/personal-tokens.ts'
import { sessionKey } from '../../src/session/record.ts'
import { callWith, idsIn, makeToken, openAccount, statusWith } from '../support/account.ts'
import { listen } from '../support/event-reader.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'

const BOTH = ['mcp', 'service:read']

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let url: string
  beforeAll(async () => {
    cluster = await startOAuthNodes({ PERSONAL_TOKEN_DAYS: '90', MCP_AUTH: 'optional' })
    url = cluster.url
  })
  afterAll(() => cluster?.stop())
  const lines = () => cluster.nodes.flatMap((node) => node.lines)

  test('is revoked on all nodes with the next call, and its stream ends', async () => {
    const { token, browser } = await makeToken(url, { scopes: BOTH })
    const [a, b, c] = cluster.urls
    const stream = await listen(`${c}/sse`, withToken(token))
    const page = await openAccount(b, browser)
    const [id = ''] = idsIn(page, 'tokens')
    expect(idsIn(page, 'tokens').length).toBeGreaterThan(0)
    await browser.open(`${b}/account`, { action: 'remove', id })
    for (const node of [a, b, c]) expect(await statusWith(node, token)).toBe(401)
    await stream.ended
    expect(idsIn(await openAccount(a, browser), 'tokens')).not.toContain(id)
    expect(lines().some((line) => line.includes('personal token revoked'))).toBe(true)
  })

  test('ends with logout, and leaves other tokens of the person alone', async () => {
    const [one, other] = [await makeToken(url), await makeToken(url)]
    await callWith(url, one.token, 'logout')
    for (const node of cluster.urls) {
      expect(await statusWith(node, one.token)).toBe(401)
      expect(await statusWith(node, other.token)).toBe(200)
    }
  })

  test('remains valid after the record of its idle session has expired, with its sign-in', async () => {
    const { token } = await makeToken(url, { scopes: BOTH })
    await cluster.nodes[0]?.store.delete(sessionKey(sessionOfToken(token)))
    for (const node of cluster.urls) {
      expect((await callWith(node, token, 'service')).output).toMatchObject({
        owner: 'Ada Lovelace',
      })
    }
  })

  test('stays revoked if it was revoked while its session was idle', async () => {
    const { token, browser } = await makeToken(url)
    await cluster.nodes[0]?.store.delete(sessionKey(sessionOfToken(token)))
    for (const id of idsIn(await openAccount(url, browser), 'tokens')) {
      await browser.open(`${url}/account`, { action: 'remove', id })
    }
    for (const node of cluster.urls) expect(await statusWith(node, token)).toBe(401)
  })

  test('after its sign-in has ended, nobody can sign in for it', async () => {
    const { token, browser } = await makeToken(url, { scopes: BOTH })
    const page = await openAccount(url, browser)
    const [id = ''] = idsIn(page, 'tokens')
    const upstream = /name="upstream" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    await browser.open(`${url}/account`, { action: 'sign_out_upstream', id, upstream })
    for (const name of ['service', 'login']) {
      const { isError, message } = await callWith(url, token, name)
      expect(isError).toBe(true)
      expect(JSON.stringify(message)).toContain('personal access token')
      expect(JSON.stringify(message)).not.toContain('/connect/')
    }
  })
})
