/** Searches the store, the logs and the responses for every secret that was used. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { PEOPLE } from '../../src/demo/people.ts'
import { CALLERS } from '../support/callers.ts'
import { ERAS } from '../support/clients.ts'
import { startCluster } from '../support/cluster.ts'
import { startOutside } from '../support/external-provider.ts'
import type { Exchange } from '../support/recording-balancer.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { hunt, spellings } from './leak-hunt/hunt.ts'
import { watchRedis } from './leak-hunt/redis-watch.ts'
import { startSecretRedis } from './leak-hunt/secret-redis.ts'
import { idsIn, type Secret, secretsIn } from './leak-hunt/secrets.ts'
import { playEverything, playUrlElicitation, type World } from './leak-hunt/story.ts'

const PERSONAL: readonly Secret[] = PEOPLE.flatMap(({ email, account }) => [
  { kind: 'email', value: email },
  { kind: 'account number', value: account.accountNumber },
  { kind: 'IBAN', value: account.iban },
])

/** Kinds that must have been recorded: a search for nothing finds nothing. */
const KINDS = [
  ...['access token', 'refresh token', 'ID token', 'client secret', 'basic credentials'],
  ...['authorization code', 'state', 'nonce', 'code verifier', 'cookie'],
  ...['link handle', 'sign-in code', 'encryption key', 'Redis password', 'IBAN'],
]

/** Secrets that neither a client nor a browser may get. */
const FOR_NOBODY = new Set([
  ...['access token', 'refresh token', 'ID token', 'client secret', 'basic credentials'],
  ...['nonce', 'code verifier', 'API key', 'encryption key', 'Redis password'],
  ...['account number', 'IBAN', 'email'],
])

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `on Redis (${kind})`, () => {
    test.each(['demo', 'outside'] as const)(
      'no secret is left behind when people sign in at the %s provider',
      { timeout: 240_000 },
      (provider) => leavesNothing(kind, provider),
    )
  })
}

async function leavesNothing(kind: RedisKind, provider: 'demo' | 'outside'): Promise<void> {
  const redis = await startSecretRedis(kind)
  const watch = await watchRedis(redis)
  onTestFinished(() => watch.close())
  const world: Pick<World, 'interfere'> = { interfere: {} }
  const hooks = {
    intercept: (exchange: Exchange) => world.interfere.intercept?.(exchange),
    rewrite: (exchange: Exchange) => world.interfere.rewrite?.(exchange),
  }
  const outside: { exchanges: readonly Exchange[]; secrets: readonly Secret[] }[] = []
  const cluster = await startCluster(async (url) => {
    const env = { ...redis.env, LOG_LEVEL: 'trace' }
    if (provider === 'demo') return env
    const started = await startOutside(url, hooks)
    const secrets = [{ kind: 'API key', value: started.apiKey }]
    outside.push({ ...started, secrets })
    return { ...env, ...started.env }
  }, hooks)
  onTestFinished(() => cluster.stop())

  const heaps = { store: '', logs: '', answers: '' }
  const { url, exchanges: inside } = cluster.balancer
  const checkpoint = async () => {
    heaps.store += await watch.dump()
  }
  const people = ['ada', 'grace', 'ada']
  for (const [index, connect] of Object.values(CALLERS).entries()) {
    await playEverything(Object.assign(world, { url, checkpoint }), connect, people[index] ?? 'ada')
  }
  // A 2025-era client answers in a separate request, which must reach the node that asked.
  cluster.balancer.pin(0)
  for (const era of ERAS) await playUrlElicitation(url, era)
  cluster.balancer.pin()
  await checkpoint()
  await stray(url)

  await cluster.stop()
  heaps.store += watch.commands.join('\n')
  heaps.logs = cluster.nodes.map(({ output }) => output.stdout + output.stderr).join('\n')
  heaps.answers = inside
    .filter(isOurs)
    .map(({ answer }) => answer.body)
    .join('\n')
  const exchanges = [...inside, ...outside.flatMap((each) => each.exchanges)]
  const known = [...redis.secrets, ...outside.flatMap((each) => each.secrets), ...PERSONAL]
  const secrets = [...known, ...STRAY, ...secretsIn(exchanges)]
  const ids = idsIn(heaps.store)

  expect(secrets.map((secret) => secret.kind)).toEqual(expect.arrayContaining(KINDS))
  expect(ids.length).toBeGreaterThan(4)
  expect(heaps.logs).toContain('"level":"trace"')
  expect(hunt(secrets, heaps.store)).toEqual([])
  expect(hunt([...secrets, ...ids], heaps.logs)).toEqual([])
  expect(
    hunt(
      secrets.filter(({ kind }) => FOR_NOBODY.has(kind)),
      heaps.answers,
    ),
  ).toEqual([])
}

/** Responses of the server itself, not of the demo that it serves. */
function isOurs({ path }: Exchange): boolean {
  return !path.startsWith('/demo/')
}

const STRAY: readonly Secret[] = [{ kind: 'stray secret', value: 'hunter2-astray' }]

/** Sends secrets in fields where none is expected. */
async function stray(url: string): Promise<void> {
  const [secret] = STRAY.map(({ value }) => value)
  const headers = { 'content-type': 'application/json', accept: '*/*' }
  const requests: RequestInit[] = [
    { method: 'POST', headers, body: `${secret}` },
    { method: 'POST', headers, body: `{"jsonrpc":"2.0","id":1,"method":"${secret}"}` },
    { method: 'POST', headers: { ...headers, authorization: `Bearer ${secret}` }, body: '{}' },
    { method: 'POST', headers: { ...headers, cookie: `a=${secret}` }, body: '{}' },
    { method: 'DELETE', headers: { 'mcp-session-id': `${secret}` } },
    { method: 'PUT' },
  ]
  for (const request of requests) await fetch(`${url}/mcp?token=${secret}`, request)
  for (const path of ['callback?code=', 'callback?state=', 'connect/', '?token=']) {
    await fetch(`${url}/${path}${secret}`)
  }
}

describe('the hunt', () => {
  test.each(spellings('p&ss =/w+"rd\\x').map(({ spelling, text }) => [spelling, text]))(
    'finds a secret written as %s',
    (spelling, text) => {
      const hits = hunt([{ kind: 'planted', value: 'p&ss =/w+"rd\\x' }], `before ${text} after`)
      expect(hits).toContainEqual({ kind: 'planted', spelling, around: 'before [HERE] after' })
    },
  )

  test('finds a secret in the middle of an encoded text', () => {
    for (const before of ['', 'a', 'ab']) {
      const heap = Buffer.from(`${before}secret-token-1 and more`).toString('base64')
      expect(hunt([{ kind: 'planted', value: 'secret-token-1' }], heap)).toHaveLength(1)
    }
  })
})
