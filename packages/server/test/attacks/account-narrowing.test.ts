/** Narrowing on the account page, on three nodes: removed clients, scopes and sign-ins. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../src/testing/form-browser.ts'
import { callWith, idsIn, openAccount, signInToAccount, statusWith } from '../support/account.ts'
import {
  authorize,
  openMcpSession,
  personsBrowser,
  rememberIn,
  signIn,
} from '../support/authorize-again.ts'
import type { OAuthClient } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const BOTH = { params: { scope: 'mcp service:read' } }

const _cookieOf = ({ cookies }: Browser) =>
  cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  let url: string
  beforeAll(async () => {
    cluster = await startOAuthNodes({ PERSONAL_TOKEN_DAYS: '30', REFRESH_GRACE: '0' })
    client = await cluster.client()
    url = cluster.url
  })
  afterAll(() => cluster?.stop())

  async function connected(person: 'ada' | 'grace' = 'ada') {
    const browser = personsBrowser()
    const tokens = await authorize(client, browser, BOTH)
    await signIn(url, tokens, browser, person)
    const page = (await signInToAccount(url, person, browser)).page
    return { browser, tokens, page, ids: idsIn(page, 'clients') }
  }

  test('a removed client is refused on all nodes from its next call on, with its refresh tokens', async () => {
    const { browser, tokens, ids } = await connected()
    for (const id of ids) {
      await browser.open(`${cluster.urls[1]}/account`, { action: 'remove', id })
    }
    for (const node of cluster.urls) {
      expect(await statusWith(node, tokens.access_token)).toBe(401)
    }
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
    expect(idsIn(await openAccount(url, browser), 'clients')).toEqual([])
  })

  test('scopes narrowed while calls run: the next call on every node lacks the scope', async () => {
    const { browser, tokens, page, ids } = await connected()
    const token = tokens.access_token
    const connection = await openMcpSession(url, tokens)
    expect(page.text).toContain('service:read')
    let isOver = false
    const calls = cluster.urls.map(async (node) => {
      const statuses: number[] = []
      while (!isOver) statuses.push((await callWith(node, token, 'service')).status)
      return statuses
    })
    await delay(200)
    for (const id of ids) {
      const form = { action: 'narrow', id, scope: 'mcp' }
      await browser.open(`${cluster.urls[2]}/account`, form)
    }
    // Calls from here on start after the response to the form.
    for (const node of cluster.urls)
      expect((await callWith(node, token, 'service')).status).toBe(403)
    isOver = true
    for (const statuses of await Promise.all(calls)) {
      expect(statuses.every((status) => status === 200 || status === 403)).toBe(true)
      expect(statuses.lastIndexOf(200)).toBeLessThan(statuses.length - 1)
    }
    // The client is still signed in, and its MCP session is valid.
    expect(await rememberIn(cluster.urls[1], connection, tokens)).toBe('')
    const clients = (await openAccount(url, browser)).text.split('id="tokens"')[0]
    expect(clients).not.toContain('value="service:read"')
  })

  test('narrowed scopes do not come back with a refresh, idleness or a wider form', async () => {
    const { browser, tokens, ids } = await connected()
    const [id = ''] = ids
    for (const each of ids) {
      await browser.open(`${url}/account`, { action: 'narrow', id: each, scope: 'mcp' })
    }
    await browser.open(`${url}/account`, { action: 'narrow', id, scope: 'service:read' })
    expect((await callWith(url, tokens.access_token, 'service')).status).toBe(403)
    for (const each of ids) {
      await browser.open(`${url}/account`, { action: 'narrow', id: each, scope: 'mcp' })
    }
    const store = cluster.nodes[0]?.store
    const { session_id: session } = JSON.parse(
      Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString(),
    ) as { session_id: string }
    await store?.delete(`{${session}}:session`)
    const refreshed = await client.refresh(tokens.refresh_token)
    expect(refreshed.status).toBe(200)
    const token = String(refreshed.body.access_token)
    for (const node of cluster.urls) {
      expect((await callWith(node, token, 'service')).status).toBe(403)
    }
  })

  test('a new consent restores the scopes that it names', async () => {
    const { browser, tokens, ids } = await connected()
    for (const id of ids) {
      await browser.open(`${url}/account`, { action: 'narrow', id, scope: 'mcp' })
    }
    expect((await callWith(url, tokens.access_token, 'service')).status).toBe(403)
    const again = await authorize(client, browser, BOTH)
    for (const node of cluster.urls) {
      const { status, output } = await callWith(node, again.access_token, 'service')
      expect([status, output]).toMatchObject([200, { owner: 'Ada Lovelace' }])
    }
  })

  test('after an upstream sign-out the client has to request a sign-in again', async () => {
    const { browser, tokens, page, ids } = await connected()
    const upstream = /name="upstream" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    for (const id of ids) {
      await browser.open(`${url}/account`, { action: 'sign_out_upstream', id, upstream })
    }
    for (const node of cluster.urls) {
      const { status, isError } = await callWith(node, tokens.access_token, 'service')
      expect([status, isError]).toEqual([200, true])
    }
  })
})
