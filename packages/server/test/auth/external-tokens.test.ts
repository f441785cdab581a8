/** Tokens of real issuers: which are accepted, with which scopes, and why others are refused. */

import { setTimeout as delay } from 'node:timers/promises'
import type { JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ExternalIssuer } from '../support/external-issuer.ts'
import { startTokenApp, type TokenApp, withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const ENV = {
  OAUTH_AUDIENCE: 'api://bank client-a',
  OAUTH_SCOPE_CLAIMS: 'scope scp roles permissions realm_access.roles',
  OAUTH_SCOPE_MAP: JSON.stringify({
    'Service.Read.All': 'service:read',
    'Service Reader': 'service:read',
    'api://bank/everything': 'service:read other:read',
  }),
  OAUTH_CLIENTS_WITHOUT_AUDIENCE: 'cognito-app',
}

let app: TokenApp
beforeAll(async () => {
  app = await startTokenApp({ env: ENV })
})
afterAll(() => app.stop())

/** The response to a token, and the reason if it was refused. */
async function answerTo(claims: JWTPayload, typ: string | undefined = 'JWT', at = app) {
  const header = { typ: typ === '' ? undefined : typ }
  const before = at.lines.length
  const headers = withToken(await at.issuer.sign(claims, header))
  const { status } = await read(
    postModern(at.url, 'tools/call', { name: 'service', arguments: {} }, { headers }),
  )
  const refused = at.lines.slice(before).map((line) => JSON.parse(line))
  return { status, reason: refused.find(({ msg }) => msg === 'access token refused')?.reason }
}

/** Claims of a valid token, without scopes, clients and audiences. */
function bare(issuer: ExternalIssuer = app.issuer): JWTPayload {
  const { scope: _scope, client_id: _client, aud: _aud, ...claims } = issuer.claims('')
  return claims
}

const api = () => ({ ...bare(), aud: 'api://bank' })
const withoutIat = (): JWTPayload => {
  const { iat: _iat, ...claims } = api()
  return claims
}
/** The token was accepted: the tool only lacks the upstream sign-in. */
const ACCEPTED = { status: 200 }

describe('access tokens', () => {
  test.each<[string, () => JWTPayload, (string | undefined)?]>([
    ['with scope as text', () => ({ ...api(), scope: 'openid service:read' })],
    ['with scope as a list', () => ({ ...api(), scope: ['openid', 'service:read'] })],
    ['of Okta, with scp as a list', () => ({ ...api(), scp: ['service:read'], cid: 'c' })],
    ['of Entra for people', () => ({ ...api(), scp: 'Service.Read.All x', azp: 'a', ver: '2.0' })],
    ['of Entra for apps', () => ({ ...api(), roles: ['Service.Read.All'], azp: 'a', ver: '2.0' })],
    ['of Entra v1 for apps', () => ({ ...api(), roles: ['Service.Read.All'], appid: 'a' })],
    ['with a role that has a space', () => ({ ...api(), roles: ['Service Reader'], azp: 'a' })],
    ['of Auth0', () => ({ ...api(), permissions: ['service:read'], azp: 'a', scope: 'openid' })],
    [
      'of Keycloak',
      () => ({
        ...api(),
        realm_access: { roles: ['service:read'] },
        azp: 'a',
        typ: 'Bearer',
        scope: 'openid',
      }),
    ],
    ['with one scope that means several', () => ({ ...api(), scp: 'api://bank/everything' })],
    [
      'of Cognito',
      () => ({ ...bare(), scope: 'service:read', client_id: 'cognito-app', token_use: 'access' }),
      undefined,
    ],
    ['without iat', () => ({ ...withoutIat(), scope: 'service:read', azp: 'a' })],
    ['without iat and typ', () => ({ ...withoutIat(), scp: 'service:read' }), ''],
    ['of RFC 9068', () => ({ ...api(), scope: 'service:read', client_id: 'c' }), 'at+jwt'],
  ])('%s are accepted with their scopes', async (_whose, claims, typ) => {
    expect(await answerTo(claims(), typ)).toEqual(ACCEPTED)
  })

  test('without the scope of the tool are accepted, and do not suffice for it', async () => {
    for (const scopes of [
      { scope: 'openid' },
      { roles: ['Service.Write'], azp: 'a' },
      { scp: 7, scope: 'x' },
    ]) {
      expect(await answerTo({ ...api(), ...scopes })).toEqual({ status: 403 })
    }
  })

  test.each<[string, () => object, string, string?]>([
    [
      'an ID token of Entra with roles',
      () => ({ ...bare(), aud: 'client-a', roles: ['Service.Read.All'] }),
      'client_id, azp',
    ],
    [
      'an ID token whose audience is its client',
      () => ({ ...bare(), aud: 'client-a', azp: 'client-a', roles: ['Service.Read.All'] }),
      'ID tokens',
    ],
    [
      'an ID token of Keycloak',
      () => ({
        ...bare(),
        aud: ['client-a'],
        azp: 'client-a',
        typ: 'ID',
        realm_access: { roles: ['service:read'] },
      }),
      'typ',
    ],
    [
      'an ID token of Cognito',
      () => ({ ...bare(), aud: 'client-a', token_use: 'id', scope: 'service:read' }),
      'token_use',
    ],
    ['an ID token with a nonce', () => ({ ...api(), scope: 'service:read', nonce: 'n' }), 'nonce'],
    [
      'an ID token with a hash',
      () => ({ ...api(), scope: 'service:read', at_hash: 'h' }),
      'at_hash',
      'at+jwt',
    ],
    [
      'an ID token without anything',
      () => ({ ...bare(), aud: 'client-a' }),
      'none of scope, scp, roles',
    ],
    [
      'a refresh token of Keycloak',
      () => ({ ...api(), typ: 'Refresh', scope: 'service:read', azp: 'a' }),
      'typ',
    ],
    ['a logout token', () => ({ ...api(), events: {}, scope: 'service:read' }), 'events'],
    [
      'an ID-JAG',
      () => ({ ...api(), scope: 'service:read', client_id: 'c' }),
      'typ',
      'oauth-id-jag+jwt',
    ],
    [
      'a token of another Cognito client',
      () => ({ ...bare(), scope: 'service:read', client_id: 'other', token_use: 'access' }),
      'aud is missing',
    ],
    [
      'a token of a listed client for others',
      () => ({ ...bare(), aud: 'api://other', scope: 'service:read', client_id: 'cognito-app' }),
      'aud does not name',
    ],
    [
      'a token of another issuer',
      () => ({ ...api(), iss: 'https://other.example', scope: 'service:read' }),
      'iss',
    ],
    [
      'a token without an issuer',
      () => ({ ...api(), iss: undefined, scope: 'service:read' }),
      'iss',
    ],
    [
      'an old token',
      () => ({ ...api(), iat: (api().iat ?? 0) - 90_000, scope: 'service:read' }),
      'iat',
    ],
    [
      'a token without iat that is valid for longer than the maximum age',
      () => ({ ...api(), iat: undefined, exp: (api().exp ?? 0) + 90_000, scope: 'service:read' }),
      'iat is missing',
    ],
    [
      'a token of RFC 9068 without iat',
      () => ({ ...api(), iat: undefined, scope: 'service:read', client_id: 'c' }),
      'iat',
      'at+jwt',
    ],
    ['a token with an iat of null', () => ({ ...api(), iat: null, scope: 's' }), 'iat'],
    [
      'a token without a subject',
      () => ({ ...api(), sub: undefined, scope: 'service:read' }),
      'sub',
    ],
    [
      'an audience of another type',
      () => ({ ...api(), aud: { a: 1 } as never, scope: 'service:read' }),
      'aud',
    ],
  ])('%s is refused, and the log has the reason', async (_what, claims, reason, typ = 'JWT') => {
    const answer = await answerTo(claims() as JWTPayload, typ)
    expect(answer).toEqual({ status: 401, reason: expect.stringContaining(reason) })
  })
})

test('a token without iat is refused after its person signed out, a newer one is not', async () => {
  const own = await startTokenApp({ env: { ...ENV, OAUTH_TOKEN_MAX_AGE: '600' } })
  onTestFinished(() => own.stop())
  const { exp = 0, iat: _iat, ...claims } = bare(own.issuer)
  const good = { ...claims, aud: 'api://bank', scope: 'service:read' }
  const token = (later: number) => own.issuer.sign({ ...good, exp: exp + later }, { typ: 'JWT' })
  const send = async (given: string, name: string) =>
    (await read(postModern(own.url, 'tools/call', { name }, { headers: withToken(given) }))).status
  // Valid for the maximum age, so issued just before the sign-out.
  const before = await token(-1)
  expect(await send(before, 'logout')).toBe(200)
  expect(await send(before, 'session')).toBe(401)
  expect(await send(await token(-300), 'session')).toBe(401)
  await delay(1100)
  const newer = await own.issuer.sign(
    { ...good, exp: Math.floor(Date.now() / 1000) + 600 },
    { typ: 'JWT' },
  )
  expect(await send(newer, 'session')).toBe(200)
  expect(await send(before, 'session')).toBe(401)
})

describe('the log', () => {
  test('has a line a second for each reason, and nothing of the token', async () => {
    const own = await startTokenApp({ env: ENV })
    onTestFinished(() => own.stop())
    const token = await own.issuer.sign({
      ...bare(own.issuer),
      aud: 'secret-aud',
      azp: 'secret-azp',
      scope: 's',
    })
    const send = () => read(postModern(own.url, 'tools/list', {}, { headers: withToken(token) }))
    await Promise.all(Array.from({ length: 15 }, send))
    const lines = own.lines.filter((line) => line.includes('access token refused'))
    expect(lines.length).toBeLessThan(5)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      reason: 'aud does not name this server',
      issuer: expect.any(String),
      client: expect.any(String),
    })
    expect(own.lines.join('')).not.toMatch(/secret-a/)
  })
})
