/** Personal access tokens on three nodes and one Redis: creation, use, guessing and leaks. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPersonalToken, sessionOfToken } from '../../src/session/personal-tokens.ts'
import {
  callWith,
  makeToken,
  openAccount,
  signInToAccount,
  statusWith,
  submitTokenForm,
  TOKEN,
} from '../support/account.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'
import { INITIALIZE, post, read, request } from '../support/wire.ts'
import { watchRedis } from './leak-hunt/redis-watch.ts'

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

  test('a token acts for its person on every node and route, in both eras', async () => {
    const { token } = await makeToken(url, { scopes: BOTH })
    for (const node of cluster.urls) {
      const { output, isError } = await callWith(node, token, 'service')
      expect([isError, output]).toMatchObject([false, { owner: 'Ada Lovelace' }])
    }
    const [a, b, c] = cluster.urls
    const opened = await read(post(a, INITIALIZE, withToken(token)))
    const id = opened.headers.get('mcp-session-id') ?? ''
    const headers = { ...withToken(token), 'mcp-session-id': id }
    const legacy = await read(post(b, request('tools/call', { name: 'service' }), headers))
    expect(legacy.message.result).toMatchObject({
      structuredContent: { owner: 'Ada Lovelace', iban: expect.stringContaining('*') },
    })
    const direct = await fetch(`${c}/http`, {
      method: 'POST',
      headers: { ...withToken(token), 'content-type': 'application/json' },
      body: JSON.stringify({ method: 'tools/call', params: { name: 'service', arguments: {} } }),
    })
    expect([direct.status, await direct.json()]).toMatchObject([
      200,
      { structuredContent: { owner: 'Ada Lovelace' } },
    ])
    const sse = await fetch(`${a}/sse`, { headers: withToken(token) })
    expect(sse.status).toBe(200)
    await sse.body?.cancel()
  })

  test('is shown once, and not stored', async () => {
    const { token, browser } = await makeToken(url)
    expect(isPersonalToken(token)).toBe(true)
    expect((await openAccount(url, browser)).text).not.toContain(token)
    for (const node of cluster.urls) await callWith(node, token, 'service')
    const watch = await watchRedis(cluster.redis)
    const dumped = await watch.dump()
    await watch.close()
    expect(dumped).toContain('Nightly report')
    expect(dumped).not.toContain(token)
    expect(dumped).not.toContain(token.slice(8, 51))
    expect(lines().join('\n')).not.toContain(token)
  })

  test('is refused by a tool whose scope it lacks', async () => {
    const { token } = await makeToken(url, { scopes: ['mcp'] })
    const { status, answered } = await callWith(url, token, 'service')
    expect([status, answered.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('insufficient_scope'),
    ])
  })

  test.each([
    ['a scope that the server does not have', { scopes: ['mcp', 'admin'] }],
    ['no scope', { scopes: [] }],
    ['a lifetime beyond the bound', { days: '91' }],
    ['no lifetime', { days: '0' }],
    ['a lifetime that is not a number', { days: '1e1' }],
    ['no name', { name: ' ' }],
    ['a long name', { name: 'x'.repeat(81) }],
  ])('is not created with %s', async (_what, form) => {
    const { browser } = await signInToAccount(url)
    const page = await submitTokenForm(url, browser, form)
    expect(page.text).not.toMatch(TOKEN)
    expect(page.text).toContain('role="alert"')
    // The sign-in is not consumed.
    expect((await submitTokenForm(url, browser)).text).toMatch(TOKEN)
  })

  test('uses the sign-in of one visit: of twenty concurrent forms one creates a token', async () => {
    const { browser } = await signInToAccount(url)
    const forms = Array.from({ length: 20 }, (_, at) =>
      submitTokenForm(cluster.urls[at % 3] ?? url, browser),
    )
    const made = (await Promise.all(forms)).filter(({ text }) => TOKEN.test(text))
    expect(made).toHaveLength(1)
  })

  test('cannot be guessed, and a string with a wrong checksum reads nothing', async () => {
    const { token } = await makeToken(url)
    const last = token.endsWith('0') ? '1' : '0'
    const others = [
      `${token.slice(0, -1)}${last}`,
      token.toLowerCase(),
      token.slice(0, -1),
      `${token}0`,
      token.replace('mcp_pat_', 'mcp_pat-'),
      `mcp_pat_${'0'.repeat(49)}`,
      sessionOfToken(token),
    ]
    for (const other of others) {
      expect(await statusWith(url, other)).toBe(401)
      expect(isPersonalToken(other)).toBe(false)
    }
    expect(await statusWith(url, token)).toBe(200)
  })

  test('its id and the hash of it give no access to a session', async () => {
    const { token, page, browser } = await makeToken(url)
    const id = sessionOfToken(token)
    const answer = await read(
      post(url, request('tools/call', { name: 'service', arguments: { session: id } })),
    )
    expect(answer.text).not.toContain('Ada')
    const shown = [page.text, (await openAccount(url, browser)).text].join('')
    expect(shown).not.toContain(id)
  })

  test('a record that was forged or moved in the store is refused', async () => {
    const { token } = await makeToken(url)
    const [other, id] = [await makeToken(url), sessionOfToken(token)]
    const key = `{${id}}:authorization`
    const store = cluster.nodes[0]?.store
    const stolen = await store?.get(`{${sessionOfToken(other.token)}}:authorization`)
    const { rev: _, ...fields } = stolen ?? { rev: 0 }
    await store?.set(key, fields, 600)
    for (const node of cluster.urls) expect(await statusWith(node, token)).toBe(401)
    await store?.set(key, { ...fields, sealed: 'v1.forged.AAAA' }, 600)
    expect(await statusWith(url, token)).toBe(401)
  })

  test('the token endpoint, introspection and revocation do not accept it', async () => {
    const { token } = await makeToken(url)
    const client = await cluster.client()
    for (const params of [
      { grant_type: 'refresh_token', refresh_token: token },
      { grant_type: 'authorization_code', code: token },
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token },
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
    ]) {
      const answer = await client.refresh('', params)
      expect(answer.status).toBe(400)
      expect(JSON.stringify(answer.body)).not.toContain(token)
    }
    expect((await client.introspect(token)).body).not.toMatchObject({ active: true })
    expect(await statusWith(url, token)).toBe(200)
  })

  test('the audit log distinguishes the token and the person, and names neither', async () => {
    const { token } = await makeToken(url, { scopes: BOTH })
    await callWith(url, token, 'service')
    const audited = lines().filter((line) => line.includes('personal-token:'))
    expect(audited.some((line) => line.includes('"tool":"service"'))).toBe(true)
    expect(audited.join('')).not.toContain('Ada')
  })

  test('its last use is written about once a minute', async () => {
    const { token } = await makeToken(url)
    const key = `{${sessionOfToken(token)}}:authorization`
    const store = cluster.nodes[0]?.store
    for (let call = 0; call < 9; call += 1) await statusWith(cluster.urls[call % 3] ?? '', token)
    const used = await store?.get(key)
    expect(used).toMatchObject({ lastUsedAt: expect.any(Number) })
    for (let call = 0; call < 9; call += 1) await statusWith(cluster.urls[call % 3] ?? '', token)
    expect((await store?.get(key))?.rev).toBe(used?.rev)
  })
})

describe('switched off, as by default', () => {
  test('the page does not offer them, and they are refused', async () => {
    const { startApp } = await import('../support/app.ts')
    const app = await startApp()
    try {
      const { browser, page } = await signInToAccount(app.url)
      expect(page.text).not.toContain('token')
      expect((await submitTokenForm(app.url, browser)).text).not.toMatch(TOKEN)
      expect(await statusWith(app.url, `mcp_pat_${'0'.repeat(49)}`)).toBe(401)
    } finally {
      await app.stop()
    }
  })
})
