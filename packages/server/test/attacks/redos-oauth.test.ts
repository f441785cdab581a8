/** ReDoS by OAuth parameters (CVE-2026-0621): other callers are served meanwhile. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOAuthClient, type OAuthClient, postForm, register } from '../support/oauth-client.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startThreeNodes, type ThreeNodes } from '../support/three-nodes.ts'

/** Far more time than any of these may take on one thread. */
const LONGEST_MS = 5000

const COUNT = 50_000
/** As many as a request line holds. */
const IN_A_LINE = 14_000

const PATTERNS: Readonly<Record<string, (count: number) => string>> = {
  commas: (count) => ','.repeat(count),
  spaces: (count) => ' '.repeat(count),
  slashes: (count) => '/'.repeat(count),
  dots: (count) => 'a.'.repeat(count / 2),
  colons: (count) => ':1'.repeat(count / 2),
  'an address with commas': (count) => `http://localhost/${','.repeat(count)}`,
  'an address that ends in slashes': (count) => `http://localhost/mcp${'/'.repeat(count)}`,
  'a loopback address with ports': (count) => `http://127.0.0.1${':1'.repeat(count / 2)}!`,
  'names of a host': (count) => `https://${'a.'.repeat(count / 2)}-/x`,
  'a host of hyphens': (count) => `https://${'-'.repeat(count)}!`,
  'steps up': (count) => `https://x/${'../'.repeat(count / 3)}`,
  'a token of dots': (count) => '.'.repeat(count),
}

describeRedis('plain', 'at a server with a clock beside it', () => {
  let cluster: ThreeNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startThreeNodes({ env: () => ({ RATE_LIMIT: 'off' }) })
    client = await createOAuthClient(cluster.urls[0])
  })
  afterAll(() => cluster?.stop())

  /** The longest wait of ten other callers meanwhile. */
  async function expectResponsive(attack: () => Promise<number[]>): Promise<void> {
    const [url] = cluster.urls
    const attacking = attack()
    const waits: number[] = []
    for (let count = 0; count < 10; count += 1) {
      const started = performance.now()
      expect((await fetch(`${url}/jwks`)).status).toBe(200)
      waits.push(performance.now() - started)
    }
    for (const status of await attacking) {
      expect(status).toBeGreaterThanOrEqual(200)
      expect(status).toBeLessThan(500)
    }
    expect(Math.max(...waits)).toBeLessThan(LONGEST_MS)
  }

  const entries = Object.entries(PATTERNS)

  test.each(entries)('%s in forms', async (_what, make) => {
    const [url] = cluster.urls
    const value = make(COUNT)
    const forms = [
      'resource',
      'scope',
      'redirect_uri',
      'code_verifier',
      'client_id',
      'token',
    ].flatMap((name) =>
      ['/token', '/revoke', '/introspect'].map((path) => ({
        path,
        form: {
          client_id: client.id,
          grant_type: 'authorization_code',
          code: 'unknown',
          token: 'unknown',
          [name]: value.slice(0, 20_000),
        },
      })),
    )
    await expectResponsive(() =>
      Promise.all(forms.map(async ({ path, form }) => (await postForm(url + path, form)).status)),
    )
    const large = { client_id: client.id, grant_type: 'refresh_token', refresh_token: 'x' }
    const plain = `${new URLSearchParams(large)}&resource=${value.replaceAll(' ', '+')}`
    await expectResponsive(async () => [
      (
        await fetch(`${url}/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: plain,
        })
      ).status,
    ])
  })

  test.each(entries)('%s at /authorize', async (_what, make) => {
    const value = make(IN_A_LINE).replaceAll(' ', '+')
    // These are returned, longer, in a header that `fetch` cannot read.
    const comesBack = ['state', 'scope']
    const sent = (name: string) => (comesBack.includes(name) ? value.slice(0, 4000) : value)
    const params = ['resource', 'scope', 'redirect_uri', 'code_challenge', 'prompt', 'state']
    await expectResponsive(() =>
      Promise.all(
        params.map(async (name) => {
          const { url } = client.request({ [name]: undefined })
          const address = `${cluster.urls[0]}/authorize${url.search}&${name}=${sent(name)}`
          return (await fetch(address, { redirect: 'manual' })).status
        }),
      ),
    )
  })

  test.each(entries)('%s in registrations', async (_what, make) => {
    const value = make(COUNT)
    const bodies = [
      { redirect_uris: [value] },
      { redirect_uris: Array.from({ length: 20 }, () => value.slice(0, 2048)) },
      { scope: value },
      { client_name: value },
      { client_uri: value },
      { contacts: [value] },
      { grant_types: [value] },
    ]
    await expectResponsive(() =>
      Promise.all(bodies.map(async (body) => (await register(cluster.urls[0], body)).status)),
    )
  })

  test('thousands of parameters with one name', async () => {
    const many = (name: string, count: number) =>
      Array.from({ length: count }, () => `${name}=a`).join('&')
    const post = async (path: string, body: string) =>
      (
        await fetch(cluster.urls[0] + path, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body,
        })
      ).status
    await expectResponsive(() =>
      Promise.all(
        ['resource', 'scope', 'client_id', 'a%5Bb%5D', '__proto__'].map((name) =>
          post(
            '/token',
            `client_id=${client.id}&grant_type=refresh_token&refresh_token=x&${many(name, 5000)}`,
          ),
        ),
      ),
    )
  })

  test('a header of dots and spaces instead of a token', async () => {
    await expectResponsive(() =>
      Promise.all(
        ['.', ' ', 'a.', '=', '-', '/', '~'].map(async (part) => {
          const authorization = `Bearer ${part.repeat(14_000 / part.length)}!`
          return (await fetch(`${cluster.urls[0]}/http`, { headers: { authorization } })).status
        }),
      ),
    )
  })
})
