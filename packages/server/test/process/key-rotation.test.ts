/** Key rotation as docs/operations.md describes it: node by node, with the documented effects. */

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startBalancer } from '../../../../scripts/cluster/balancer.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { startOutside } from '../support/external-provider.ts'
import { freePort } from '../support/free-port.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { callWith, login, newBrowser, signInAs } from '../support/sign-in.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

type Keys = Readonly<Record<string, string>>

const newKey = () => randomBytes(32).toString('hex')

describeRedis('plain', 'keys are replaced', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis('plain')
  })
  afterAll(() => redis.stop())

  /** Two nodes behind a round-robin balancer, each with keys of its own. */
  async function startPair() {
    const ports = [await freePort(), await freePort()]
    const balancer = await startBalancer({ nodes: ports })
    const { url } = balancer
    const outside = await startOutside(url, {})
    const shared = { REDIS_URL: redis.url, PUBLIC_URL: url, RATE_LIMIT: 'off', ...outside.env }
    let nodes: TestApp[] = []
    const stop = () => Promise.all(nodes.map((node) => node.stop()))
    onTestFinished(async () => {
      await balancer.close()
      await stop()
    })
    return {
      url,
      store: () => nodes[0]?.store ?? expect.fail('nothing runs'),
      async run(...keys: readonly [Keys, Keys]) {
        await stop()
        const start = (own: Keys, index: number) =>
          startApp({ env: { ...shared, MASK_MCP_PORT: String(ports[index]), ...own } })
        nodes = await Promise.all(keys.map(start))
      },
    }
  }

  test('ENCRYPTION_KEY, in three steps without effect on callers', async () => {
    const [old, next] = [newKey(), newKey()]
    const steps = [
      { ENCRYPTION_KEY: old },
      { ENCRYPTION_KEY: old, ENCRYPTION_KEYS_PREVIOUS: next },
      { ENCRYPTION_KEY: next, ENCRYPTION_KEYS_PREVIOUS: old },
    ] as const
    const { url, run } = await startPair()
    await run(steps[0], steps[0])
    const person = await signedIn(url)
    const client = await createOAuthClient(url)
    let tokens = await client.connect()

    for (const step of [1, 2, 3]) {
      await run(steps[step - 1] ?? {}, steps[step] ?? steps[2])
      for (const handle of [person, await signedIn(url), person]) await expectAccount(url, handle)
      for (let turn = 0; turn < 4; turn += 1) {
        expect(await isAccepted(url, tokens.access_token)).toBe(true)
        const answer = await client.refresh(tokens.refresh_token)
        expect(answer.status).toBe(200)
        tokens = answer.body as unknown as typeof tokens
      }
      // Registered, authorized and exchanged on both nodes in turn.
      await (await createOAuthClient(url)).connect()
    }
  })

  test('removing an old ENCRYPTION_KEY loses what it sealed, and nothing else', async () => {
    const [old, next] = [newKey(), newKey()]
    const replaced = { ENCRYPTION_KEY: next, ENCRYPTION_KEYS_PREVIOUS: old }
    const { url, run } = await startPair()
    await run({ ENCRYPTION_KEY: old }, { ENCRYPTION_KEY: old })
    const [person, idle, used] = [
      await signedIn(url),
      await createOAuthClient(url),
      await createOAuthClient(url),
    ]
    const { refresh_token: lost } = await idle.connect()
    await used.connect()
    await run(replaced, replaced)
    const { access_token: token, refresh_token: refreshToken } = await used.connect()

    await run({ ENCRYPTION_KEY: next }, { ENCRYPTION_KEY: next })
    expect(await callWith(url, person, 'service')).toMatchObject({ isError: true })
    expect((await idle.refresh(lost)).body).toMatchObject({ error: 'invalid_client' })
    expect(await isAccepted(url, token)).toBe(true)
    expect((await used.refresh(refreshToken)).status).toBe(200)
    await expectAccount(url, await signedIn(url))
  })

  test('JWT_SECRET, after which each client refreshes without a sign-in', async () => {
    const [old, next] = [{ JWT_SECRET: newKey() }, { JWT_SECRET: newKey() }]
    const { url, run } = await startPair()
    await run(old, old)
    const client = await createOAuthClient(url)
    const { access_token: token, refresh_token: refreshToken } = await client.connect()

    await run(old, next)
    const sideBySide = [await isAccepted(url, token), await isAccepted(url, token)]
    expect(sideBySide.sort()).toEqual([false, true])
    await run(next, next)
    expect(await isAccepted(url, token)).toBe(false)
    const { status, body } = await client.refresh(refreshToken)
    expect(status).toBe(200)
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await isAccepted(url, String(body.access_token))).toBe(true)
    }
  })

  test('signing keys, by themselves; a new ENCRYPTION_KEY does not disturb them', async () => {
    const [old, next] = [newKey(), newKey()]
    const es256 = { JWT_ALG: 'ES256' }
    const before = { ...es256, ENCRYPTION_KEY: old }
    const replaced = { ...es256, ENCRYPTION_KEY: next, ENCRYPTION_KEYS_PREVIOUS: old }
    const { url, run } = await startPair()
    await run(before, before)
    const { access_token: token } = await (await createOAuthClient(url)).connect()
    await run(replaced, replaced)
    expect(await isAccepted(url, token)).toBe(true)
    await (await createOAuthClient(url)).connect()
  })

  test.each([
    ['deleted', { JWT_ALG: 'ES256' }, { JWT_ALG: 'ES256' }],
    ['given up for a secret', { JWT_ALG: 'ES256' }, { JWT_ALG: 'HS256' }],
  ])('signing keys that are %s cost each client a refresh', async (_what, before, after) => {
    const { url, run, store } = await startPair()
    await run(before, before)
    const client = await createOAuthClient(url)
    const { access_token: token, refresh_token: refreshToken } = await client.connect()
    await store().delete('signing-keys:ES256')
    await run(after, after)
    expect(await isAccepted(url, token)).toBe(false)
    const { body } = await client.refresh(refreshToken)
    expect(await isAccepted(url, String(body.access_token))).toBe(true)
  })
})

/** The handle of a signed-in session. */
async function signedIn(url: string): Promise<string> {
  const link = await login(url)
  await signInAs(newBrowser(), link)
  return link.session
}

async function expectAccount(url: string, handle: string): Promise<void> {
  const answer = await callWith(url, handle, 'service')
  expect(answer).toMatchObject({ structuredContent: { owner: 'Ada Lovelace' } })
}

async function isAccepted(url: string, token: string): Promise<boolean> {
  const { status } = await read(postModern(url, 'tools/list', {}, { headers: withToken(token) }))
  return status === 200
}
