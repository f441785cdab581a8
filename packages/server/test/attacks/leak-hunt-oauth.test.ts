/** Searches the store and the logs for every secret of the OAuth flow. */

import { expect, onTestFinished, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { startCluster } from '../support/cluster.ts'
import {
  claimsOf,
  createOAuthClient,
  type OAuthClient,
  postForm,
  REDIRECT_URI,
  register,
} from '../support/oauth-client.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'
import { hunt } from './leak-hunt/hunt.ts'
import { watchRedis } from './leak-hunt/redis-watch.ts'
import { startSecretRedis } from './leak-hunt/secret-redis.ts'
import { idsIn, type Secret, secretsIn } from './leak-hunt/secrets.ts'

/** Kinds that must have been recorded: a search for nothing finds nothing. */
const KINDS = [
  ...['access token', 'refresh token', 'authorization code', 'code verifier', 'cookie', 'state'],
  ...[
    'client secret',
    'basic credentials',
    'token id',
    'signature',
    'signing secret',
    'stray secret',
  ],
]

const JWT_SECRET = 'canary of the signing secret, 0123456789'
const STRAY = 'hunter2-astray-in-oauth'
const GATEWAY = { client_id: 'gateway', client_secret: 'canary of the secret of the gateway' }
const CLIENTS = [{ ...GATEWAY, redirect_uris: [REDIRECT_URI] }]

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `on Redis (${kind})`, () => {
    test.each(['HS256', 'ES256'])(
      'no secret of the token flow is left behind with %s',
      { timeout: 240_000 },
      (algorithm) => leavesNothing(kind, algorithm),
    )
  })
}

async function leavesNothing(kind: RedisKind, algorithm: string): Promise<void> {
  const redis = await startSecretRedis(kind)
  const watch = await watchRedis(redis)
  onTestFinished(() => watch.close())
  const cluster = await startCluster(() => ({
    ...redis.env,
    LOG_LEVEL: 'trace',
    RATE_LIMIT: 'off',
    JWT_ALG: algorithm,
    OAUTH_CLIENTS: JSON.stringify(CLIENTS),
    ...(algorithm === 'HS256' && { JWT_SECRET }),
  }))
  onTestFinished(() => cluster.stop())
  const { url, exchanges } = cluster.balancer
  const dumps: string[] = []
  const look = async () => void dumps.push(await watch.dump())

  const { secret, ...basic } = await registeredWithSecret(url)
  const clients = [
    await createOAuthClient(url),
    await createOAuthClient(url, {
      metadata: { token_endpoint_auth_method: 'client_secret_post' },
    }),
    await createOAuthClient(url, { known: GATEWAY }),
  ]
  for (const client of clients) await playTokens(url, client, look)
  await postForm(`${url}/token`, { grant_type: 'refresh_token', refresh_token: STRAY }, basic)
  await stray(url)
  await look()
  await cluster.stop()

  const store = dumps.join('\n') + watch.commands.join('\n')
  const logs = cluster.nodes.map(({ output }) => output.stdout + output.stderr).join('\n')
  const wire = secretsIn(exchanges)
  const secrets: readonly Secret[] = [
    ...redis.secrets,
    ...wire,
    ...wire.flatMap(partsOf),
    { kind: 'client secret', value: secret },
    { kind: 'client secret', value: GATEWAY.client_secret },
    ...clients.map(({ registration }) => ({
      kind: 'client secret',
      value: String(registration.client_secret ?? GATEWAY.client_secret),
    })),
    { kind: 'signing secret', value: JWT_SECRET },
    { kind: 'stray secret', value: STRAY },
  ]
  expect(secrets.map((each) => each.kind)).toEqual(expect.arrayContaining(KINDS))
  expect(logs).toContain('"level":"trace"')
  expect(logs).toContain('authorization refused')
  expect(hunt(secrets, store)).toEqual([])
  expect(hunt([...secrets, ...idsIn(store)], logs)).toEqual([])
}

/** A client that sends its secret in a header. */
async function registeredWithSecret(url: string) {
  const metadata = { token_endpoint_auth_method: 'client_secret_basic' }
  const { body } = await register(url, metadata)
  const secret = String(body.client_secret)
  const given = Buffer.from(`${body.client_id}:${secret}`).toString('base64')
  return { secret, authorization: `Basic ${given}` }
}

/** Every use of codes and tokens, valid and invalid. */
async function playTokens(
  url: string,
  client: OAuthClient,
  look: () => Promise<void>,
): Promise<void> {
  const { page, decide } = await client.openConsent()
  expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  await look()
  await decide('deny')
  const authorization = await client.authorize()
  await look()
  await client.exchange(authorization, { code_verifier: 'v'.repeat(43) })
  await client.exchange(authorization, { redirect_uri: `${REDIRECT_URI}/other` })
  const { body } = await client.exchange(authorization)
  const [access, refresh] = [String(body.access_token), String(body.refresh_token)]
  await client.exchange(authorization)
  await look()
  const headers = withToken(access)
  const call = async (name: string) =>
    (await read(postModern(url, 'tools/call', { name }, { headers }))).message.result ?? {}
  await signInAs(newBrowser(), structured<SignInLink>(await call('login')))
  expect(structured<{ owner: string }>(await call('service')).owner).toBe('Ada Lovelace')
  const { body: next } = await client.refresh(refresh)
  await client.refresh(refresh)
  await client.refresh(refresh, { scope: 'more than there is' })
  await client.introspect(access)
  await client.introspect(String(next.refresh_token))
  await look()
  await read(postModern(url, 'tools/list', {}, { headers: withToken(`${access}x`) }))
  await client.refresh(access)
  await client.revoke(access)
  await client.revoke(String(next.refresh_token))
  await client.refresh(String(next.refresh_token))
  await look()
}

/** The parts of a token that are secrets by themselves. */
function partsOf({ kind, value }: Secret): Secret[] {
  if (kind !== 'access token' || value.split('.').length !== 3 || value.endsWith('x')) return []
  const { jti } = claimsOf(value)
  // The header is the same for all.
  const [, payload = '', signature = ''] = value.split('.')
  return [
    { kind: 'payload', value: payload },
    { kind: 'signature', value: signature },
    // The demo's provider has tokens of its own.
    ...(typeof jti === 'string' ? [{ kind: 'token id', value: jti }] : []),
  ]
}

/** Sends a secret in every field that is meant for something else. */
async function stray(url: string): Promise<void> {
  const usual = { client_id: 'gateway', grant_type: 'authorization_code', code: 'x' }
  const names = [
    ...['client_id', 'client_secret', 'grant_type', 'code', 'code_verifier', 'redirect_uri'],
    ...[
      'refresh_token',
      'token',
      'token_type_hint',
      'scope',
      'state',
      'password',
      'client_assertion',
    ],
  ]
  for (const name of names) {
    for (const path of ['/token', '/revoke', '/introspect']) {
      await postForm(url + path, { ...usual, [name]: STRAY })
      await postForm(url + path, { ...usual, client_secret: GATEWAY.client_secret, [name]: STRAY })
    }
    await fetch(`${url}/authorize?${name}=${STRAY}`, { redirect: 'manual' })
    await fetch(`${url}/token?${name}=${STRAY}`, { method: 'POST' })
  }
  for (const scheme of ['Basic', 'Bearer', 'DPoP', '']) {
    const authorization = `${scheme} ${STRAY}`
    await postForm(`${url}/token`, usual, { authorization })
    await fetch(`${url}/http`, { headers: { authorization } })
  }
  for (const text of [STRAY, `{"client_secret":"${STRAY}"`, `{"redirect_uris":["${STRAY}"]}`]) {
    const headers = { 'content-type': 'application/json' }
    await fetch(`${url}/register`, { method: 'POST', headers, body: text })
  }
  for (const path of ['authorize', 'consent', 'token', 'jwks']) {
    const cookie = `oauth_consent=${STRAY}; oauth_resume=${STRAY}; oauth_session=${STRAY}`
    await fetch(`${url}/${path}/${STRAY}`, { headers: { cookie } })
  }
}
