/**
 * Stored sign-ins of idle sessions (LOGIN=at-authorize) are restored only for their owner, and not
 * after their end, on Redis and three nodes.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  authorize,
  logout,
  personsBrowser,
  serviceOwner,
  sessionOf,
} from '../support/authorize-again.ts'
import type { OAuthClient, Tokens } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

/** Each test has a client of its own, and so its own users. */
let clients = 0

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  beforeAll(async () => {
    cluster = await startOAuthNodes({
      ...{ LOGIN: 'at-authorize', MCP_AUTH: 'required', REFRESH_GRACE: '0' },
    })
  })
  afterAll(() => cluster?.stop())

  const store = () => (cluster.nodes[0] ?? expect.fail('no node')).store
  const keysOf = (tokens: Tokens) => ({
    session: `{${sessionOf(tokens)}}:session`,
    storedKey: `{${sessionOf(tokens)}}:credentials`,
  })
  const leftOf = async (tokens: Tokens) => {
    const { session, storedKey } = keysOf(tokens)
    return [await store().get(session), await store().get(storedKey)]
  }

  /** A client, and the tokens of a person whose session has expired from inactivity since. */
  async function idle(person = 'ada') {
    clients += 1
    const client = await cluster.client({ metadata: { client_name: `Kept ${clients}` } })
    const browser = personsBrowser()
    const tokens = await authorize(client, browser, { person })
    await store().delete(keysOf(tokens).session)
    return { client, browser, tokens }
  }

  async function refreshed(client: OAuthClient, tokens: Tokens): Promise<Tokens> {
    const { status, body } = await client.refresh(tokens.refresh_token)
    expect(status).toBe(200)
    return body as unknown as Tokens
  }

  test('another user in the same browser gets their own session, and the owner theirs', async () => {
    const { client, browser, tokens } = await idle()
    const other = await authorize(client, browser, { person: 'grace' })
    expect(sessionOf(other)).not.toBe(sessionOf(tokens))
    const fresh = await refreshed(client, tokens)
    for (const url of cluster.urls) {
      expect(await serviceOwner(url, other)).toBe('Grace Hopper')
      expect(await serviceOwner(url, fresh)).toBe('Ada Lovelace')
    }
  })

  test('another client of the same user, in another browser, gets another session', async () => {
    const { client, tokens } = await idle()
    const { client: otherClient } = await idle('grace')
    const other = await authorize(otherClient, personsBrowser())
    expect(sessionOf(other)).not.toBe(sessionOf(tokens))
    expect((await otherClient.refresh(tokens.refresh_token)).status).toBe(400)
    expect(await serviceOwner(cluster.urls[2], await refreshed(client, tokens))).toBe(
      'Ada Lovelace',
    )
  })

  test('a refresh token that is replayed ends the grant, and the sign-in with it', async () => {
    const { client, tokens } = await idle()
    const fresh = await refreshed(client, tokens)
    await store().delete(keysOf(tokens).session)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
    expect((await client.refresh(fresh.refresh_token)).status).toBe(400)
    expect(await leftOf(tokens)).toEqual([undefined, undefined])
    for (const url of cluster.urls) expect(await serviceOwner(url, fresh)).toBe(401)
  })

  test('of concurrent refreshes on all nodes one restores the sign-in', async () => {
    const { client, tokens } = await idle()
    const all = await Promise.all(
      Array.from({ length: 9 }, () => client.refresh(tokens.refresh_token)),
    )
    // The others are replays, which revoke the family.
    expect(all.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
    for (const { status } of all) expect([200, 400]).toContain(status)
  })

  test('a logout during refreshes on other nodes wins', async () => {
    clients += 1
    const client = await cluster.client({ metadata: { client_name: `Kept ${clients}` } })
    const tokens = await authorize(client, personsBrowser())
    const both = await Promise.all([
      logout(cluster.urls[0], tokens),
      client.refresh(tokens.refresh_token),
    ])
    const [, { status, body }] = both
    const last = status === 200 ? (body as unknown as Tokens) : tokens
    expect((await client.refresh(last.refresh_token)).status).toBe(400)
    for (const url of cluster.urls) expect(await serviceOwner(url, last)).toBe(401)
    expect(await leftOf(tokens)).toEqual([undefined, undefined])
  })

  test('the stored sign-in is sealed for its session: in another session it does not decrypt', async () => {
    const ada = await idle()
    const grace = await idle('grace')
    const stolen = await store().get(keysOf(ada.tokens).storedKey)
    const { rev: _rev, ...fields } = stolen ?? expect.fail('nothing is kept')
    await store().set(keysOf(grace.tokens).storedKey, fields, 3600)
    const { status, body } = await grace.client.refresh(grace.tokens.refresh_token)
    if (status === 200) {
      expect(await serviceOwner(cluster.urls[1], body as unknown as Tokens)).not.toBe(
        'Ada Lovelace',
      )
    } else expect(status).toBe(400)
  })
})
