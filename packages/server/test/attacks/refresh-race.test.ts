/**
 * Race for one refresh token on three processes: one successor within the grace period, revocation
 * of the token family afterwards. `ROUNDS` sets the number of rounds.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { faultsIn, startThreeNodes, type ThreeNodes } from '../support/three-nodes.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 20)
const USERS = 20
const GRACE_SECONDS = 15

const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

/** The status of a call with a token at each node. */
const statuses = (urls: readonly string[], token: unknown) =>
  Promise.all(
    urls.map(async (url) => {
      const headers = withToken(String(token))
      return (await read(postModern(url, 'tools/list', {}, { headers }))).status
    }),
  )

describeRedis('plain', `over three processes, ${ROUNDS} rounds`, () => {
  let cluster: ThreeNodes
  let client: OAuthClient
  beforeAll(async () => {
    const env = { RATE_LIMIT: 'off', REFRESH_GRACE: String(GRACE_SECONDS) }
    cluster = await startThreeNodes({ env: () => env })
    client = await createOAuthClient(cluster.url, { nodes: cluster.urls })
  })
  afterAll(() => cluster?.stop())

  const refreshed = async (token: string) => {
    const answer = await client.refresh(token)
    expect(answer).toMatchObject({ status: 200 })
    return String(answer.body.refresh_token)
  }

  const useAtOnce = (token: string) =>
    Promise.all(Array.from({ length: USERS }, () => client.refresh(token)))

  test('twenty concurrent uses return one successor', {
    timeout: 120_000 + ROUNDS * 5000,
  }, async () => {
    let { refresh_token: token } = await client.connect()
    const started = performance.now()
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await useAtOnce(token)
      expect(answers.map(({ status }) => status)).toEqual(Array(USERS).fill(200))
      const successors = new Set(answers.map(({ body }) => String(body.refresh_token)))
      expect(successors.size).toBe(1)
      const [successor = ''] = successors
      expect(successor).not.toBe(token)
      token = successor
    }
    process.stderr.write(`${ROUNDS} refresh races: ${Math.round(performance.now() - started)} ms\n`)
    await refreshed(token)
  })

  test('a later use returns the same successor; after the grace period it revokes the family', async () => {
    const [lost, stolen] = [await client.connect(), await client.connect()]
    const successor = await refreshed(lost.refresh_token)
    const { body: newest } = await client.refresh(stolen.refresh_token)
    await delay(5000)
    const again = await useAtOnce(lost.refresh_token)
    expect(new Set(again.map(({ body }) => body.refresh_token))).toEqual(new Set([successor]))
    await delay((GRACE_SECONDS - 4) * 1000)
    expect(await client.refresh(stolen.refresh_token)).toMatchObject(REFUSED)
    expect(await client.refresh(String(newest.refresh_token))).toMatchObject(REFUSED)
    for (const token of [stolen.access_token, newest.access_token]) {
      expect(await statuses(cluster.urls, token)).toEqual([401, 401, 401])
    }
    await refreshed(successor)
  })

  test('an older generation revokes the family, even while the newest is in use', async () => {
    const { refresh_token: first } = await client.connect()
    const third = await refreshed(await refreshed(first))
    const [stolen, ...own] = await Promise.all([client.refresh(first), ...(await useAtOnce(third))])
    expect(stolen).toMatchObject(REFUSED)
    for (const { status, body } of own) {
      expect([200, 400]).toContain(status)
      if (status !== 200) continue
      expect(await statuses(cluster.urls, body.access_token)).toEqual([401, 401, 401])
      expect(await client.refresh(String(body.refresh_token))).toMatchObject(REFUSED)
    }
  })

  test('a revocation wins, whenever it arrives', { timeout: 120_000 + ROUNDS * 5000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { refresh_token: token } = await client.connect()
      const racing = useAtOnce(token)
      await delay(round % 10)
      expect(await client.revoke(token)).toMatchObject({ status: 200 })
      const answers = await racing
      for (const { status, body } of answers) {
        expect([200, 400]).toContain(status)
        if (status === 400) expect(body.error).toBe('invalid_grant')
      }
      const won = answers.filter(({ status }) => status === 200)
      for (const { body } of won.slice(0, 3)) {
        expect(await statuses(cluster.urls, body.access_token)).toEqual([401, 401, 401])
        expect(await client.refresh(String(body.refresh_token))).toMatchObject(REFUSED)
      }
      expect(await client.refresh(token)).toMatchObject(REFUSED)
    }
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})

describeRedis('plain', 'without a grace', () => {
  test('of twenty concurrent uses one succeeds, and a later use revokes the family', async () => {
    const cluster = await startOAuthNodes({ REFRESH_GRACE: '0' })
    const client = await cluster.client()
    const { refresh_token: token } = await client.connect()
    const uses = Array.from({ length: USERS }, () => client.refresh(token))
    const answers = await Promise.all(uses)
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    for (const lost of answers.filter((each) => !won.includes(each))) {
      expect(lost).toMatchObject(REFUSED)
    }
    expect(await client.refresh(token)).toMatchObject(REFUSED)
    for (const { body } of won) {
      expect(await client.refresh(String(body.refresh_token))).toMatchObject(REFUSED)
      expect(await statuses(cluster.urls, body.access_token)).toEqual([401, 401, 401])
    }
    await cluster.stop()
  })
})
