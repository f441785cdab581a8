/** Forged, stolen and replayed identity assertions (ID-JAG), on Redis and three nodes. */

import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type AssertionIssuer,
  JWT_BEARER_GRANT,
  startAssertionIssuer,
} from '../support/assertion-issuer.ts'
import { seconds } from '../support/external-issuer.ts'
import { tokenUser } from '../support/machine-client.ts'
import { type Params, postForm } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const desk = { client_id: 'desk', client_secret: 'the secret of the desk' }
const other = { client_id: 'other', client_secret: 'the secret of the other' }
const REFUSED = { status: 400, body: { error: 'invalid_grant' } }
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

type Members = Readonly<Record<string, unknown>>

describeRedis('plain', 'an identity assertion', () => {
  let nodes: OAuthNodes
  let issuer: AssertionIssuer
  let second: AssertionIssuer
  let stranger: AssertionIssuer
  beforeAll(async () => {
    ;[issuer, second, stranger] = await Promise.all([
      startAssertionIssuer(),
      startAssertionIssuer(),
      startAssertionIssuer(),
    ])
    const grant_types = [JWT_BEARER_GRANT, 'client_credentials']
    const clients = [desk, other].map((client) => ({ ...client, grant_types }))
    nodes = await startOAuthNodes({
      OAUTH_ID_JAG_ISSUERS: `${issuer.url} ${second.url}`,
      OAUTH_CLIENTS: JSON.stringify(clients),
    })
  })
  afterAll(async () => {
    await nodes?.stop()
    await Promise.all([issuer, second, stranger].map((each) => each?.stop()))
  })

  const present = (assertion: string, params: Params = {}, node = 0) =>
    postForm(`${nodes.urls[node % 3]}/token`, {
      ...{ grant_type: JWT_BEARER_GRANT, assertion, ...desk },
      ...params,
    })
  const good = (claims: Members = {}, header: Members = {}) =>
    issuer.assertion(nodes.url, 'desk', claims, header)

  /** The members of a valid assertion, to be signed differently. */
  async function members() {
    const [header = '', claims = ''] = (await good()).split('.')
    const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    return { header: parse(header), claims: parse(claims) }
  }

  async function publicKey(): Promise<Record<string, unknown>> {
    const response = await fetch(`${issuer.url}/jwks`)
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] }
    return keys[0] ?? {}
  }

  async function hs256(secret: string): Promise<string> {
    const { header, claims } = await members()
    const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }

  async function ownKey(more: object = {}): Promise<string> {
    const { header, claims } = await members()
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    return new SignJWT(claims).setProtectedHeader({ ...header, ...more, jwk }).sign(privateKey)
  }

  async function unsigned(): Promise<string> {
    const { header, claims } = await members()
    return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`
  }

  const ATTACKS: Readonly<Record<string, () => string | Promise<string>>> = {
    'signed with another key of the same name': () => ownKey(),
    'that brings its own key': () => ownKey({ kid: undefined }),
    'that names a URL of its key': () => good({}, { jku: `${stranger.url}/jwks`, kid: 'x' }),
    'without a signature': () => unsigned(),
    'by HS256 with the public key as the secret': async () =>
      hs256(JSON.stringify(await publicKey())),
    'by HS256 with a coordinate as the secret': async () => hs256(String((await publicKey()).x)),
    'of an issuer that is not configured': () => stranger.assertion(nodes.url, 'desk'),
    'of one issuer, signed by another': () =>
      second.assertion(nodes.url, 'desk', { iss: issuer.url }),
    'of the server itself': () => good({ iss: nodes.url }),
    'of the issuer with a slash': () => good({ iss: `${issuer.url}/` }),
    'for another client': () => issuer.assertion(nodes.url, 'other'),
    'for no client': () => good({ client_id: undefined }),
    'for a client by azp': () => good({ client_id: undefined, azp: 'desk' }),
    'for another server': () => good({ aud: 'https://other.example' }),
    'for two servers': () => good({ aud: [nodes.url, 'https://other.example'] }),
    'for the token endpoint': () => good({ aud: `${nodes.url}/token` }),
    'for the resource': () => good({ aud: `${nodes.url}/mcp` }),
    'without an audience': () => good({ aud: undefined }),
    'of the type JWT': () => good({}, { typ: 'JWT' }),
    'without a type': () => good({}, { typ: undefined }),
    'that is an access token': () => good({}, { typ: 'at+jwt' }),
    'that is a client assertion': () => good({}, { typ: 'client-authentication+jwt' }),
    'without jti': () => good({ jti: undefined }),
    'with an empty jti': () => good({ jti: '' }),
    'with a list as jti': () => good({ jti: ['a'] }),
    'without a person': () => good({ sub: undefined }),
    'with an empty person': () => good({ sub: '' }),
    'with a number as its person': () => good({ sub: 7 }),
    'without iat': () => good({ iat: undefined }),
    'without exp': () => good({ exp: undefined }),
    'that has expired': () => good({ exp: seconds() - 1 }),
    'valid for a day': () => good({ exp: seconds() + 86_400 }),
    'from the future': () => good({ iat: seconds() + 300 }),
    'not valid yet': () => good({ nbf: seconds() + 300 }),
    'with a number as its scope': () => good({ scope: 7 }),
    'bound to a key': () => good({ cnf: { jkt: 'x' } }),
    'with detailed authorizations': () => good({ authorization_details: [{ type: 'x' }] }),
    'with an unknown extension': () => good({}, { x: true, crit: ['x'] }),
    'that is garbage': () => 'garbage',
    'with empty parts': () => 'e30.e30.',
    'that is empty': () => '..',
  }

  test.each(Object.keys(ATTACKS))('%s is refused', async (what) => {
    const before = stranger.requestedPaths.length
    const forged = await ATTACKS[what]?.()
    expect(await present(String(forged))).toMatchObject(REFUSED)
    expect(stranger.requestedPaths).toHaveLength(before)
  })

  test.each<[string, Members, Params]>([
    ['of another server', { resource: 'https://other.example/mcp' }, {}],
    ['ours and of others', { resource: ['OURS/mcp', 'https://other.example/mcp'] }, {}],
    ['that differs from the request', { resource: 'OURS/http' }, { resource: 'OURS/mcp' }],
    ['unknown in the request', {}, { resource: 'https://other.example/mcp' }],
  ])('with a resource %s is invalid_target', async (_what, claims, params) => {
    const ours = <T>(given: T): T =>
      JSON.parse(JSON.stringify(given).replaceAll('OURS', nodes.url)) as T
    const refused = await present(await good(ours(claims)), ours(params))
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
  })

  test('is accepted once, on all nodes', async () => {
    const assertion = await good()
    expect(await present(assertion)).toMatchObject({ status: 200 })
    for (const node of [0, 1, 2]) {
      expect(await present(assertion, {}, node)).toMatchObject(REFUSED)
    }
  })

  test('concurrent uses on three nodes return one token', async () => {
    for (let race = 0; race < 3; race += 1) {
      const assertion = await good()
      const races = Array.from({ length: 20 }, (_, index) => present(assertion, {}, index))
      const statuses = (await Promise.all(races)).map(({ status }) => status).sort()
      expect(statuses).toEqual([200, ...Array(19).fill(400)])
    }
  })

  test('is recorded only if it is signed: nobody can consume the ids of others', async () => {
    const assertion = await good()
    const forged = `${assertion.slice(0, assertion.lastIndexOf('.'))}.AAAA`
    expect(await present(forged)).toMatchObject(REFUSED)
    expect(await present(assertion)).toMatchObject({ status: 200 })
  })

  test('with the same `jti` of two issuers counts as two assertions', async () => {
    const jti = crypto.randomUUID()
    expect(await present(await good({ jti }))).toMatchObject({ status: 200 })
    const own = await second.assertion(nodes.url, 'desk', { jti })
    expect(await present(own)).toMatchObject({ status: 200 })
  })

  test('that is stolen is of no use without the secret of its client', async () => {
    const assertion = await good()
    expect(await present(assertion, other)).toMatchObject(REFUSED)
    for (const client_secret of [undefined, other.client_secret]) {
      const refused = await present(assertion, { client_secret })
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    }
    expect(await present(assertion)).toMatchObject({ status: 200 })
  })

  test('authenticates no client, and is no other kind of token', async () => {
    const client_assertion = await good({ iss: 'desk', sub: 'desk' }, { typ: 'JWT' })
    const refused = await postForm(`${nodes.url}/token`, {
      ...{ grant_type: 'client_credentials', client_id: 'desk', client_assertion },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    expect(refused.status).toBe(401)
    expect(await tokenUser(nodes.url, await good()).status()).toBe(401)
    expect(await tokenUser(nodes.url, await good({}, { typ: 'at+jwt' })).status()).toBe(401)
  })
})
