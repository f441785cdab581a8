/**
 * Token confusion with an external issuer: refused, and nothing that the tokens name is fetched.
 */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seconds } from '../support/external-issuer.ts'
import { startTokenApp, type TokenApp, withToken } from '../support/token-app.ts'
import { post, postModern, read, request } from '../support/wire.ts'

let app: TokenApp
/** The key server of an attacker. */
const fetched: string[] = []
const attacker = createServer((incoming, response) => {
  fetched.push(incoming.url ?? '')
  response.end('{"keys":[]}')
})
let attackerUrl = ''
beforeAll(async () => {
  app = await startTokenApp()
  await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve))
  attackerUrl = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`
})
afterAll(async () => {
  attacker.close()
  await app.stop()
})

const own = () => app.issuer.claims(`${app.url}/mcp`)
const encode = (value: unknown) => base64url.encode(JSON.stringify(value))

/** The issuer's public key set, as anybody can read it. */
async function publicKeys(): Promise<{ keys: { kid: string }[] }> {
  return (await (await fetch(`${app.issuer.url}/jwks`)).json()) as { keys: { kid: string }[] }
}

async function signedByAttacker(header: object = {}) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const [{ kid = '' } = {}] = (await publicKeys()).keys
  const jwk = await exportJWK(publicKey)
  const signer = new SignJWT(own())
  return signer
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, jwk, ...header })
    .sign(privateKey)
}

const FORGED: [string, () => Promise<string>][] = [
  ['alg none', async () => `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(own())}.`],
  ['alg NONE', async () => `${encode({ alg: 'NoNe', typ: 'at+jwt' })}.${encode(own())}.`],
  [
    'the public key as an HMAC secret',
    async () => {
      const secret = new TextEncoder().encode(JSON.stringify((await publicKeys()).keys[0]))
      return new SignJWT(own()).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(secret)
    },
  ],
  ['a key of the attacker in jwk', () => signedByAttacker()],
  ['a key of the attacker at jku', () => signedByAttacker({ jku: `${attackerUrl}/jku` })],
  ['a key of the attacker at x5u', () => signedByAttacker({ x5u: `${attackerUrl}/x5u` })],
  ['an unknown kid', () => signedByAttacker({ kid: '../../jwks' })],
  ['an unknown critical header', () => app.issuer.sign(own(), { crit: ['x'], x: 1 })],
  ['another audience', () => app.issuer.sign({ ...own(), aud: 'https://other.example/mcp' })],
  [
    'an audience that only begins like ours',
    () => app.issuer.sign({ ...own(), aud: `${app.url}/mcp.evil` }),
  ],
  ['no audience', () => app.issuer.sign(without('aud'))],
  ['another issuer', () => app.issuer.sign({ ...own(), iss: 'https://other.example' })],
  ['no issuer', () => app.issuer.sign(without('iss'))],
  ['no subject', () => app.issuer.sign(without('sub'))],
  ['no expiry', () => app.issuer.sign(without('exp'))],
  ['no time of issue', () => app.issuer.sign(without('iat'))],
  ['an expiry just now', () => app.issuer.sign({ ...own(), exp: seconds() })],
  ['a start in the future', () => app.issuer.sign({ ...own(), nbf: seconds() + 300 })],
  ['an issue in the future', () => app.issuer.sign({ ...own(), iat: seconds() + 300 })],
  ['great age', () => app.issuer.sign({ ...own(), iat: seconds() - 90_000 })],
  ['an ID token', () => app.issuer.sign({ ...without('scope'), nonce: 'n' }, { typ: 'JWT' })],
  ['an ID token without nonce', () => app.issuer.sign(without('scope'), { typ: 'JWT' })],
  ['an ID token with scopes', () => app.issuer.sign({ ...own(), at_hash: 'h' }, { typ: 'JWT' })],
  ['a logout token', () => app.issuer.sign(own(), { typ: 'logout+jwt' })],
  ['a cut signature', async () => (await app.issuer.sign(own())).slice(0, -4)],
  ['an edited payload', editedPayload],
  ['five parts', async () => `${await app.issuer.sign(own())}.x.y`],
  ['no JWT at all', async () => 'a-token-of-the-upstream-provider'],
]

function without(claim: string) {
  const { [claim]: _left, ...rest } = own()
  return rest
}

async function editedPayload() {
  const [header, , signature] = (await app.issuer.sign(own())).split('.')
  return `${header}.${encode({ ...own(), sub: 'grace' })}.${signature}`
}

test('a valid token is accepted', async () => {
  const headers = withToken(await app.issuer.sign(own()))
  expect((await read(postModern(app.url, 'tools/list', {}, { headers }))).status).toBe(200)
})

test.each(FORGED)('%s is refused, where a token is needed and where not', async (_what, forge) => {
  const token = await forge()
  const headers = withToken(token)
  const answers = [
    await read(postModern(app.url, 'tools/list', {}, { headers })),
    await read(post(app.url, request('ping'), headers)),
    await read(fetch(`${app.url}/sse`, { headers })),
    await read(fetch(`${app.url}/http`, { headers })),
  ]
  for (const answer of answers) {
    expect([answer.status, answer.message.error?.code]).toEqual([401, -32001])
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(answer.text).not.toContain(token)
  }
  expect(fetched).toEqual([])
  expect(app.lines.join('')).not.toContain(token)
})
