/** Forged tokens of the built-in server: refused on every node; nothing they name is fetched. */

import { createHash, createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base64url, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { listen } from '../support/event-reader.ts'
import {
  claimsOf,
  createOAuthClient,
  type OAuthClient,
  type Tokens,
} from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'
import { post, postModern, read, request } from '../support/wire.ts'

const JWT_SECRET = 'a secret that leaked to the attacker somehow'
const secret = new TextEncoder().encode(JWT_SECRET)
const encode = (value: unknown) => base64url.encode(JSON.stringify(value))
const now = () => Math.floor(Date.now() / 1000)

/** The key server of an attacker. */
const fetched: string[] = []
const attacker = createServer((incoming, response) => {
  fetched.push(incoming.url ?? '')
  response.end('{"keys":[]}')
})
let attackerUrl = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve))
  attackerUrl = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`
})
afterAll(() => attacker.close())

interface World {
  readonly cluster: OAuthNodes
  readonly client: OAuthClient
  readonly tokens: Tokens
}

const signed = (claims: JWTPayload, header: object = {}, key: Uint8Array = secret) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header }).sign(key)

async function signedByAttacker(claims: JWTPayload, header: object = {}): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  const fields = { alg: 'ES256', typ: 'at+jwt', jwk, ...header }
  return new SignJWT(claims).setProtectedHeader(fields).sign(privateKey)
}

/** The one key that the server publishes. */
async function publishedKey({ cluster }: World): Promise<{ kid: string }> {
  const { keys } = (await (await fetch(`${cluster.url}/jwks`)).json()) as {
    keys: { kid: string }[]
  }
  return keys[0] ?? { kid: '' }
}

type Forgery = (world: World, own: JWTPayload) => Promise<string>

/** Forgeries by an attacker who has no key. */
const WITHOUT_KEY: readonly [string, Forgery][] = [
  ['alg none', async (_, own) => `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(own)}.`],
  ['alg nOnE', async (_, own) => `${encode({ alg: 'nOnE', typ: 'at+jwt' })}.${encode(own)}.`],
  ['no alg', async (_, own) => `${encode({ typ: 'at+jwt' })}.${encode(own)}.`],
  ['an empty secret', (_, own) => signed(own, {}, new Uint8Array([0]))],
  ['a key in jwk', (_, own) => signedByAttacker(own)],
  ['a key at jku', (_, own) => signedByAttacker(own, { jku: `${attackerUrl}/jku` })],
  ['a key at x5u', (_, own) => signedByAttacker(own, { x5u: `${attackerUrl}/x5u` })],
  ['a key in x5c', (_, own) => signedByAttacker(own, { x5c: ['AAAA'] })],
  ['a kid that is a path', (_, own) => signedByAttacker(own, { kid: '../../../dev/null' })],
  ['a kid that is an address', (_, own) => signedByAttacker(own, { kid: `${attackerUrl}/kid` })],
  ['a kid of the prototype', (_, own) => signedByAttacker(own, { kid: '__proto__' })],
  [
    'the kid of the server',
    async (world, own) => signedByAttacker(own, { kid: (await publishedKey(world)).kid }),
  ],
  [
    'the published key as a secret',
    async (world, own) => {
      const key = await publishedKey(world)
      return signed(own, { kid: key.kid }, new TextEncoder().encode(JSON.stringify(key)))
    },
  ],
  ['an edited payload', async ({ tokens }, own) => edited(tokens, { ...own, scope: 'mcp admin' })],
  ['a cut signature', async ({ tokens }) => tokens.access_token.slice(0, -4)],
  ['no signature', async ({ tokens }) => tokens.access_token.replace(/[^.]*$/, '')],
  ['a fourth part', async ({ tokens }) => `${tokens.access_token}.x`],
  ['the refresh token', async ({ tokens }) => tokens.refresh_token],
  ['a code', async ({ client }) => (await client.authorize()).code],
  ['the session id', async (_, own) => String(own.session_id)],
  ['the id of the token', async (_, own) => String(own.jti)],
  ['the id of the client', async ({ client }) => client.id],
  ['a token of the upstream provider', async () => 'an-opaque-token-of-somebody-else'],
]

/** Forgeries with a valid signature: by an attacker with the secret, or another server with the same one. */
const WITH_SECRET: readonly [string, Forgery][] = [
  ['another audience', (_, own) => signed({ ...own, aud: 'https://other.example/mcp' })],
  ['the audience of a folder', (_, own) => signed({ ...own, aud: `${own.aud}/x` })],
  ['no audience', (_, { aud: _aud, ...own }) => signed(own)],
  ['another issuer', (_, own) => signed({ ...own, iss: 'https://other.example' })],
  ['the issuer with a slash', (_, own) => signed({ ...own, iss: `${own.iss}/` })],
  ['no issuer', (_, { iss: _iss, ...own }) => signed(own)],
  ['an expiry long ago', (_, own) => signed({ ...own, exp: now() - 600 })],
  ['no expiry', (_, { exp: _exp, ...own }) => signed(own)],
  ['a start in the future', (_, own) => signed({ ...own, nbf: now() + 600 })],
  ['the type of an ID token', (_, own) => signed(own, { typ: 'JWT' })],
  ['the type of a logout token', (_, own) => signed(own, { typ: 'logout+jwt' })],
  ['no type', (_, own) => signed(own, { typ: undefined })],
  ['another algorithm', (_, own) => signed(own, { alg: 'HS512' })],
  ['an unknown critical header', async (_, own) => critical(own)],
  ['no id', (_, { jti: _jti, ...own }) => signed(own)],
  ['an unknown id', (_, own) => signed({ ...own, jti: 'x'.repeat(21) })],
  ['an id of no text', (_, own) => signed({ ...own, jti: {} as never })],
  ['no session', (_, { session_id: _id, ...own }) => signed(own)],
  [
    'the session of somebody else',
    async (w, own) => signed({ ...own, session_id: await other(w) }),
  ],
  ['the id of another token', async (world, own) => signed({ ...own, jti: await otherId(world) })],
  ['more scopes', (_, own) => signed({ ...own, scope: `${own.scope} admin` })],
  ['fewer scopes', (_, own) => signed({ ...own, scope: 'mcp' })],
  ['another client', (_, own) => signed({ ...own, client_id: 'cli_of_somebody_else' })],
]

function edited({ access_token: token }: Tokens, claims: JWTPayload): string {
  const [header, , signature] = token.split('.')
  return `${header}.${encode(claims)}.${signature}`
}

function critical(own: JWTPayload): string {
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', crit: ['x'], x: 1 })}.${encode(own)}`
  return `${input}.${createHmac('sha256', JWT_SECRET).update(input).digest('base64url')}`
}

const other = async ({ client }: World) =>
  String(claimsOf((await client.connect()).access_token).session_id)
const otherId = async ({ client }: World) =>
  String(claimsOf((await client.connect()).access_token).jti)

async function expectRefused({ cluster }: World, token: string): Promise<void> {
  const headers = withToken(token)
  for (const url of cluster.urls) {
    const answers = [
      await read(postModern(url, 'tools/list', {}, { headers })),
      await read(post(url, request('ping'), headers)),
      await read(fetch(`${url}/sse`, { headers })),
      await read(fetch(`${url}/http`, { headers })),
    ]
    for (const { status, headers: fields, text } of answers) {
      expect(status).toBe(401)
      expect(fields.get('www-authenticate')).toMatch(/error="invalid_(token|request)"/)
      expect(text).not.toContain(token)
    }
  }
  expect(fetched).toEqual([])
}

const ENVIRONMENTS = {
  HS256: { JWT_SECRET },
  ES256: { JWT_ALG: 'ES256' },
  EdDSA: { JWT_ALG: 'EdDSA' },
}

describe.each(Object.entries(ENVIRONMENTS))('with %s', (algorithm, env) => {
  describeRedis('plain', 'on three nodes', () => {
    let world: World
    let own: JWTPayload
    beforeAll(async () => {
      const cluster = await startOAuthNodes(env as Record<string, string>)
      const client = await cluster.client()
      world = { cluster, client, tokens: await client.connect() }
      own = claimsOf(world.tokens.access_token)
    })
    afterAll(() => world?.cluster.stop())

    const isAccepted = async (token: string) => {
      const answers = world.cluster.urls.map((url) =>
        read(postModern(url, 'tools/list', {}, { headers: withToken(token) })),
      )
      return (await Promise.all(answers)).every(({ status }) => status === 200)
    }

    test('an unmodified token is accepted', async () => {
      expect(await isAccepted(world.tokens.access_token)).toBe(true)
      // The claims of the forgeries below are accepted, except for the change in each of them.
      if (algorithm === 'HS256') expect(await isAccepted(await signed(own))).toBe(true)
    })

    const forgeries = algorithm === 'HS256' ? [...WITHOUT_KEY, ...WITH_SECRET] : WITHOUT_KEY
    test.each(forgeries)('%s is refused', async (_what, forge) => {
      await expectRefused(world, await forge(world, own))
    })

    test('a token without an entry in the store is refused', async () => {
      const { access_token: token } = await world.client.connect()
      expect(await isAccepted(token)).toBe(true)
      const hash = createHash('sha256')
        .update(String(claimsOf(token).jti))
        .digest('base64url')
      const { store } = world.cluster.nodes[0] ?? expect.fail('no node')
      expect(await store.delete(`oauth:AccessToken:${hash}`)).toBe(true)
      await expectRefused(world, token)
    })

    test('a token of another server is refused, even with the same secret', async () => {
      const stranger = await startApp({ env: { RATE_LIMIT: 'off', ...env } })
      const { access_token: token } = await (await createOAuthClient(stranger.url)).connect()
      await stranger.stop()
      await expectRefused(world, token)
      expect(await world.client.introspect(token)).toMatchObject({ body: { active: false } })
    })

    test('no forgery can be revoked, introspected or exchanged', async () => {
      const forged = await signedByAttacker(own)
      expect(await world.client.introspect(forged)).toMatchObject({ body: { active: false } })
      await world.client.revoke(forged)
      expect(await isAccepted(world.tokens.access_token)).toBe(true)
      expect(await world.client.refresh(forged)).toMatchObject({ status: 400 })
      expect(await world.client.refresh(world.tokens.access_token)).toMatchObject({ status: 400 })
    })

    test('no fault was logged, and no token', () => {
      const lines = world.cluster.nodes.flatMap((node) => node.lines)
      expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
      expect(lines.join('')).not.toContain(world.tokens.access_token)
    })
  })
})

test('a stream outlives its token, not its session', { timeout: 240_000 }, async () => {
  const app = await startApp({ env: { RATE_LIMIT: 'off', ACCESS_TOKEN_TTL: '30' } })
  const client = await createOAuthClient(app.url)
  const { access_token: token, refresh_token: refreshToken } = await client.connect()
  const stream = await listen(`${app.url}/sse`, withToken(token))
  await stream.until(({ event }) => event === 'endpoint')
  const call = () => read(postModern(app.url, 'tools/list', {}, { headers: withToken(token) }))
  // The entry in the store may expire a moment later.
  await expect.poll(async () => (await call()).status, { timeout: 60_000 }).toBe(401)
  expect(await Promise.race([stream.ended.then(() => 'ended'), 'open'])).toBe('open')
  await client.revoke(refreshToken)
  await stream.ended
  await app.stop()
})
