/** Forged, stolen and replayed client assertions (RFC 7523), on Redis and three nodes. */

import { createHmac, type KeyObject } from 'node:crypto'
import { generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JWT_BEARER } from '../support/client-assertion.ts'
import { type OAuthClient, postForm, REDIRECT_URI } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { type SigningClient, startSigningClient } from '../support/signing-client.ts'

const METHODS = 'token_endpoint_auth_methods_supported'
const REFUSED = { status: 401, body: { error: 'invalid_client' } }
const seconds = () => Math.floor(Date.now() / 1000)
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

describeRedis('plain', 'an assertion', () => {
  let nodes: OAuthNodes
  let signer: SigningClient
  let client: OAuthClient
  let other: OAuthClient
  beforeAll(async () => {
    // A client that may omit the assertion must not succeed with an invalid one.
    signer = await startSigningClient(() => ({ [METHODS]: ['none', 'private_key_jwt'] }))
    nodes = await startOAuthNodes({}, signer.host.ca)
    client = await nodes.client({ known: { client_id: signer.id } })
    other = await nodes.client({ known: { client_id: signer.id.replace('client', 'other') } })
  })
  afterAll(async () => {
    await nodes?.stop()
    await signer?.host.close()
  })

  const shown = (client_assertion: string) => ({
    client_assertion_type: JWT_BEARER,
    client_assertion,
  })
  const claims = (more: object = {}) => ({
    ...{ iss: signer.id, sub: signer.id, aud: nodes.url, jti: crypto.randomUUID() },
    ...{ iat: seconds(), exp: seconds() + 60, ...more },
  })
  const header = (more: object = {}) => ({ alg: 'RS256', kid: signer.publicJwk.kid, ...more })
  const hs256 = (secret: string | KeyObject) => {
    const input = `${encode(header({ alg: 'HS256' }))}.${encode(claims())}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const strange = async (more: object = {}) => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = publicKey as unknown as JWK
    const protectedHeader = { ...header(), ...more, jwk } as JWTHeaderParameters
    const signed = new SignJWT(claims()).setProtectedHeader(protectedHeader)
    return await signed.sign(privateKey)
  }

  const ATTACKS: Readonly<Record<string, () => string | Promise<string>>> = {
    'signed with another key of the same name': () => strange(),
    'that brings its own key': () => strange({ kid: undefined }),
    'that names a URL of its key': () => strange({ jku: `${signer.host.origin}/evil.json` }),
    'with a made-up name of a key': () => strange({ kid: 'made-up' }),
    'without a signature': () => `${encode(header({ alg: 'none' }))}.${encode(claims())}.`,
    'by HS256 with the public key as the secret': () => hs256(JSON.stringify(signer.publicJwk)),
    'by HS256 with the modulus as the secret': () => hs256(String(signer.publicJwk.n)),
    'for another server': () => signer.assertion('https://other.example'),
    'for the issuer with a slash': () => signer.assertion(`${nodes.url}/`),
    'for two servers': () => signer.assertion('', { aud: [nodes.url, 'https://other.example'] }),
    'without an audience': () => signer.assertion('', { aud: undefined }),
    'of another issuer': () => signer.assertion(nodes.url, { iss: 'https://other.example/c' }),
    'of another client': () => signer.assertion(nodes.url, { iss: other.id, sub: other.id }),
    'without an issuer': () => signer.assertion(nodes.url, { iss: undefined }),
    'without jti': () => signer.assertion(nodes.url, { jti: undefined }),
    'with a list as jti': () => signer.assertion(nodes.url, { jti: ['a'] }),
    'without exp': () => signer.assertion(nodes.url, { exp: undefined }),
    'that has expired': () => signer.assertion(nodes.url, { exp: seconds() - 1 }),
    'valid for a year': () => signer.assertion(nodes.url, { exp: seconds() + 31_536_000 }),
    'from the future': () => signer.assertion(nodes.url, { iat: seconds() + 300 }),
    'not valid yet': () => signer.assertion(nodes.url, { nbf: seconds() + 300 }),
    'that is an access token': () => signer.assertion(nodes.url, {}, { typ: 'at+jwt' }),
    'that is a grant': () => signer.assertion(nodes.url, {}, { typ: 'oauth-id-jag+jwt' }),
    'with an unknown extension': () =>
      signer.assertion(nodes.url, {}, { b64: true, crit: ['b64'] }),
    'that is garbage': () => 'garbage',
    'with empty parts': () => 'e30.e30.',
  }

  test.each(Object.keys(ATTACKS))('%s is refused, and the code stays valid', async (what) => {
    const authorization = await client.authorize()
    const forged = await ATTACKS[what]?.()
    expect(await client.exchange(authorization, shown(String(forged)))).toMatchObject(REFUSED)
    const params = await signer.signed(nodes.url)
    expect(await client.exchange(authorization, params)).toMatchObject({ status: 200 })
    expect(signer.host.seen.some(({ url }) => url === '/evil.json')).toBe(false)
  })

  test('of another type, or sent twice, is refused', async () => {
    const authorization = await client.authorize()
    const { client_assertion } = await signer.signed(nodes.url)
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
    for (const client_assertion_type of [undefined, saml]) {
      const params = { client_assertion, client_assertion_type }
      expect(await client.exchange(authorization, params)).toMatchObject(REFUSED)
    }
    const twice = { ...shown(''), client_assertion: [String(client_assertion), 'x.y.z'] }
    expect((await client.exchange(authorization, twice)).status).toBeGreaterThanOrEqual(400)
  })

  test('does not authenticate another client that shares the keys', async () => {
    const params = await signer.signed(nodes.url)
    const refused = await other.exchange(await other.authorize(), params)
    expect(refused).toMatchObject(REFUSED)
  })

  test('is accepted once, on all nodes and at all endpoints', async () => {
    const first = await signer.signed(nodes.url)
    const tokens = await client.exchange(await client.authorize(), first)
    expect(tokens).toMatchObject({ status: 200 })
    const refreshToken = String(tokens.body.refresh_token)
    const params = { client_id: signer.id, ...first }
    for (const url of nodes.urls) {
      const refresh = { ...params, grant_type: 'refresh_token', refresh_token: refreshToken }
      expect(await postForm(`${url}/token`, refresh)).toMatchObject(REFUSED)
      expect(await postForm(`${url}/revoke`, { ...params, token: refreshToken })).toMatchObject(
        REFUSED,
      )
      const token = String(tokens.body.access_token)
      expect(await postForm(`${url}/introspect`, { ...params, token })).toMatchObject(REFUSED)
    }
    const again = await signer.signed(nodes.url)
    expect(await client.refresh(refreshToken, again)).toMatchObject({ status: 200 })
  })

  test('concurrent uses on several nodes return tokens once', async () => {
    const authorizations = await Promise.all(Array.from({ length: 20 }, () => client.authorize()))
    const assertion = await signer.signed(nodes.url)
    const answers = await Promise.all(
      authorizations.map(({ code, verifier }, index) =>
        postForm(`${nodes.urls[index % 3]}/token`, {
          ...{ grant_type: 'authorization_code', client_id: signer.id },
          ...{ redirect_uri: REDIRECT_URI, code, code_verifier: verifier, ...assertion },
        }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array(19).fill(401)])
  })

  test('is recorded only if it is signed: nobody can consume the ids of others', async () => {
    const jti = crypto.randomUUID()
    const good = await signer.assertion(nodes.url, { jti })
    const forged = `${good.slice(0, good.lastIndexOf('.'))}.AAAA`
    const authorization = await client.authorize()
    expect(await client.exchange(authorization, shown(forged))).toMatchObject(REFUSED)
    expect(await client.exchange(authorization, shown(good))).toMatchObject({ status: 200 })
  })

  test('of a registered client causes no fetch of keys', async () => {
    const before = signer.host.seen.length
    const registered = await nodes.client({
      metadata: {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: `${signer.host.origin}/jwks.json`,
        assertion_keys: { isRequired: false, jwksUri: `${signer.host.origin}/jwks.json` },
      },
    })
    const params = await signer.signed(nodes.url, { iss: registered.id, sub: registered.id })
    await registered.exchange(await registered.authorize(), params)
    expect(signer.host.seen).toHaveLength(before)
  })
})
