/** Confusion of machine tokens and user tokens, in memory and on Redis with three nodes. */

import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import {
  type AssertionIssuer,
  JWT_BEARER_GRANT,
  startAssertionIssuer,
} from '../support/assertion-issuer.ts'
import { tokenUser } from '../support/machine-client.ts'
import {
  claimsOf,
  createOAuthClient,
  type Params,
  postForm,
  REDIRECT_URI,
} from '../support/oauth-client.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { describeUnless } from '../support/suite-that-needs.ts'

const CALLERS = new URL('../fixtures/callers', import.meta.url).pathname
const JWT_SECRET = 'a secret of the test, which somebody has stolen'
const both = { client_id: 'both', client_secret: 'the secret of both' }
const MACHINE = { kind: 'client', subject: '', client: 'both' }
const ADA = { kind: 'token', subject: 'ada', client: 'both' }

interface Served {
  readonly url: string
  readonly urls: readonly string[]
  stop(): Promise<void>
}

const places = {
  async memory(env: Readonly<Record<string, string>>): Promise<Served> {
    const app = await startApp({ env, catalogDirectory: CALLERS })
    return { url: app.url, urls: [app.url, app.url, app.url], stop: app.stop }
  },
  async 'three nodes'(env: Readonly<Record<string, string>>): Promise<Served> {
    const redis = await startSuiteRedis('plain')
    const first = await startApp({
      env: { ...env, REDIS_URL: redis.url },
      catalogDirectory: CALLERS,
    })
    const shared = { ...env, REDIS_URL: redis.url, PUBLIC_URL: first.url }
    const start = () => startApp({ env: shared, catalogDirectory: CALLERS })
    const nodes = [first, ...(await Promise.all([start(), start()]))]
    return {
      url: first.url,
      urls: nodes.map(({ localUrl }) => localUrl),
      async stop() {
        await Promise.all(nodes.map((node) => node.stop()))
        await redis.stop()
      },
    }
  },
}

describe.each(['memory', 'three nodes'] as const)('on %s', (place) => {
  const missing = place === 'three nodes' ? redisMissing('plain') : undefined
  describeUnless(missing, 'REQUIRE_REDIS', 'a token', () => {
    let issuer: AssertionIssuer
    let served: Served
    beforeAll(async () => {
      issuer = await startAssertionIssuer()
      const grant_types = ['authorization_code', 'client_credentials', JWT_BEARER_GRANT]
      served = await places[place]({
        ...{ RATE_LIMIT: 'off', JWT_SECRET, OAUTH_ID_JAG_ISSUERS: issuer.url },
        OAUTH_CLIENTS: JSON.stringify([
          { ...both, grant_types, redirect_uris: [REDIRECT_URI] },
          { ...both, client_id: 'ada', grant_types: ['client_credentials'] },
        ]),
      })
    })
    afterAll(async () => {
      await served?.stop()
      await issuer?.stop()
    })

    let turn = 0
    const node = () => {
      turn += 1
      return served.urls[turn % 3] ?? ''
    }
    const requestToken = async (params: Params) => {
      const { body } = await postForm(`${node()}/token`, { ...both, ...params })
      return String(body.access_token ?? body.error)
    }
    const ofMachine = (params: Params = {}) =>
      requestToken({ grant_type: 'client_credentials', ...params })
    const ofAda = async (sub = 'ada') => {
      const assertion = await issuer.assertion(served.url, 'both', { sub })
      return requestToken({ grant_type: JWT_BEARER_GRANT, assertion })
    }
    const ofPerson = async () => {
      const client = await createOAuthClient(served.url, { known: both })
      return (await client.connect()).access_token
    }
    const user = (token: string) => tokenUser(node(), token)
    const sessionOf = (token: string) => claimsOf(token).session_id

    /** The token with other claims, signed with the stolen secret. */
    function forged(token: string, claims: object): string {
      const [header = ''] = token.split('.')
      const payload = JSON.stringify({ ...claimsOf(token), ...claims })
      const input = `${header}.${Buffer.from(payload).toString('base64url')}`
      return `${input}.${createHmac('sha256', JWT_SECRET).update(input).digest('base64url')}`
    }

    test('identifies its owner, and each kind has its own session', async () => {
      const tokens = [await ofMachine(), await ofAda(), await ofPerson()] as const
      const [machine, ada, person] = tokens
      expect(await user(machine).result('whoami')).toMatchObject(MACHINE)
      expect(await user(ada).result('whoami')).toMatchObject(ADA)
      expect(await user(person).result('whoami')).toMatchObject({ kind: 'token', subject: '' })
      expect(new Set(tokens.map(sessionOf)).size).toBe(3)
      await user(ada).result('remember', { text: 'of ada' })
      expect(await user(machine).result('remember')).toMatchObject({ before: '' })
      expect(await user(person).result('remember')).toMatchObject({ before: '' })
    })

    test('of a client that is named like a person is not that person', async () => {
      const token = await ofMachine({ client_id: 'ada' })
      expect(await user(token).result('whoami')).toMatchObject({ kind: 'client', subject: '' })
      expect(sessionOf(token)).not.toBe(sessionOf(await ofAda()))
    })

    test.each<[string, () => Promise<string>]>([
      ['another person', async () => forged(await ofAda(), { asserted_subject: subject('eve') })],
      ['nobody', async () => forged(await ofAda(), { asserted_subject: undefined })],
      [
        'the session of another',
        async () => forged(await ofAda(), { session_id: sessionOf(await ofAda('eve')) }),
      ],
      [
        'a person, from a machine',
        async () => forged(await ofMachine(), { session_id: sessionOf(await ofAda()) }),
      ],
      [
        'the machine, from a person',
        async () => forged(await ofPerson(), { session_id: sessionOf(await ofMachine()) }),
      ],
      ['more scopes', async () => forged(await ofMachine(), { scope: 'mcp service:read' })],
      ['another client', async () => forged(await ofMachine(), { client_id: 'ada' })],
      ['another grant', async () => forged(await ofMachine(), { grant_id: 'gra_other' })],
    ])('forged with the stolen secret for %s is 401', async (_whom, token) => {
      expect(await user(await token()).status()).toBe(401)
    })

    test('of a machine does not become a user by a claim of its own', async () => {
      const token = forged(await ofMachine(), { asserted_subject: subject('ada') })
      expect(await user(token).result('whoami')).toMatchObject(MACHINE)
      const person = forged(await ofPerson(), { asserted_subject: subject('ada') })
      expect(await user(person).result('whoami')).toMatchObject({ kind: 'token', subject: '' })
    })

    test('of a machine is no assertion, no refresh token, and no code', async () => {
      const token = await ofMachine()
      expect(await requestToken({ grant_type: JWT_BEARER_GRANT, assertion: token })).toBe(
        'invalid_grant',
      )
      for (const params of [
        { grant_type: 'refresh_token', refresh_token: token },
        { grant_type: 'authorization_code', code: token, redirect_uri: REDIRECT_URI },
      ]) {
        expect(await requestToken({ ...params, code_verifier: 'x'.repeat(43) })).toMatch(
          /^invalid_/,
        )
      }
    })

    test('from before a logout stays invalid on all nodes, whatever the kind', async () => {
      for (const next of [ofMachine, ofAda]) {
        const [before, other] = [await next(), await next()]
        await user(before).call('logout')
        const after = await next()
        for (const url of served.urls) {
          expect(await tokenUser(url, before).status()).toBe(401)
          expect(await tokenUser(url, other).status()).toBe(401)
          expect(await tokenUser(url, after).status()).toBe(200)
        }
      }
    })

    test('used concurrently with others of a new session shares that session', async () => {
      await user(await ofMachine()).call('logout')
      const tokens = await Promise.all(Array.from({ length: 12 }, () => ofMachine()))
      expect(new Set(tokens.map(sessionOf)).size).toBe(1)
      const statuses = await Promise.all(tokens.map((token) => user(token).status()))
      expect(statuses).toEqual(Array(12).fill(200))
    })

    const subject = (sub: string) => ({ iss: issuer.url, sub })
  })
})
