/** Key smuggling in client metadata (CVE-2026-27896): only validated values are used. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOAuthClient } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const EVIL = 'http://evil.example/callback'
const GOOD = 'https://client.example/callback'

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  beforeAll(async () => {
    cluster = await startOAuthNodes()
  })
  afterAll(() => cluster?.stop())

  /** Registers with a body as text, for JSON that objects cannot express. */
  async function post(text: string) {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${cluster.url}/register`, { method: 'POST', headers, body: text })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  /** Whether any node shows the consent page for this client. */
  async function getsConsentPage(id: unknown, redirectUri: string): Promise<boolean> {
    const client = await createOAuthClient(cluster.url, { known: { client_id: String(id) } })
    const { search } = client.request({ redirect_uri: redirectUri }).url
    const answers = await Promise.all(
      cluster.urls.map((url) => fetch(`${url}/authorize${search}`, { redirect: 'manual' })),
    )
    return answers.some(({ status }) => status === 303)
  }

  const metadata = (more: string) =>
    `{"redirect_uris":["${GOOD}"],"token_endpoint_auth_method":"none"${more}}`

  test.each([
    ['__proto__', `"__proto__":{"redirect_uris":["${EVIL}"]}`],
    ['__proto__ escaped', `"\\u005f_proto__":{"redirect_uris":["${EVIL}"]}`],
    ['constructor', `"constructor":{"prototype":{"redirect_uris":["${EVIL}"]}}`],
    ['prototype', `"prototype":{"redirect_uris":["${EVIL}"]}`],
    ['another case', `"Redirect_uris":["${EVIL}"]`],
    ['the name inside the library', `"redirectUris":["${EVIL}"]`],
    ['a name that looks like it', `"redirect_urіs":["${EVIL}"]`],
    ['a zero-width space', `"redirect_uris\\u200b":["${EVIL}"]`],
  ])('%s adds no redirect URI to those of the client', async (_what, more) => {
    const { status, body } = await post(metadata(`,${more}`))
    if (status !== 201) {
      expect(status).toBe(400)
      return
    }
    expect(body.redirect_uris).toEqual([GOOD])
    expect(await getsConsentPage(body.client_id, EVIL)).toBe(false)
  })

  test.each([
    ['__proto__', `{"__proto__":{"redirect_uris":["${EVIL}"]},"client_name":"x"}`],
    ['the last of two', `{"redirect_uris":["${GOOD}"],"redirect_uris":["${EVIL}"]}`],
    ['an array in an array', `{"redirect_uris":[["${EVIL}"]]}`],
    ['an object like an array', `{"redirect_uris":{"0":"${EVIL}","length":1}}`],
    ['a string', `{"redirect_uris":"${EVIL}"}`],
  ])('a forbidden one is refused as %s', async (_what, text) => {
    const { status, body } = await post(text)
    expect(status).toBe(400)
    expect(body).not.toHaveProperty('client_id')
  })

  test('a forbidden redirect URI is dropped, and a permitted one kept', async () => {
    const { status, body } = await post(`{"redirect_uris":["${GOOD}","${EVIL}"]}`)
    expect(status).toBe(201)
    expect(body.redirect_uris).toEqual([GOOD])
    expect(await getsConsentPage(body.client_id, EVIL)).toBe(false)
  })

  test('the last of two equal keys is checked and used', async () => {
    const { status, body } = await post(`{"redirect_uris":["${EVIL}"],"redirect_uris":["${GOOD}"]}`)
    expect(status).toBe(201)
    expect(body.redirect_uris).toEqual([GOOD])
    expect(await getsConsentPage(body.client_id, EVIL)).toBe(false)
  })

  test('a client cannot choose its id, secret or times', async () => {
    const chosen = {
      client_id: 'https://trusted.example/client',
      client_id_issued_at: 1,
      client_secret: 'a secret that I chose myself',
      client_secret_expires_at: 0,
      registration_access_token: 'chosen',
    }
    const text = JSON.stringify({ redirect_uris: [GOOD], ...chosen })
    const { status, body } = await post(text)
    expect(status).toBe(201)
    for (const [name, value] of Object.entries(chosen)) expect(body[name]).not.toBe(value)
    expect(body.client_id).toMatch(/^cli_/)
  })

  test('how a client authenticates is not taken from a prototype', async () => {
    const more = '"__proto__":{"token_endpoint_auth_method":"none"}'
    const { status, body } = await post(`{"redirect_uris":["${GOOD}"],${more}}`)
    expect(status).toBe(400)
    expect(body).not.toHaveProperty('client_id')
  })

  test('no prototype is polluted', async () => {
    await post(
      metadata(`,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}`),
    )
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const { status, body } = await post(metadata(''))
    expect(status).toBe(201)
    expect(body).not.toHaveProperty('polluted')
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((node) => node.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  })
})
