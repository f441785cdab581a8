/**
 * Race for one authorization code (the class of CVE-2026-1035) on three processes: one exchange
 * wins, a later replay revokes its tokens. `ROUNDS` sets the number of rounds.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectWithin } from '../support/expect-within.ts'
import { type Authorization, createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { faultsIn, startThreeNodes, type ThreeNodes } from '../support/three-nodes.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 20)
const EXCHANGES = 50
const REPLAYS = 5
/** An exchange after this time is a replay. */
const RACE_MS = 2000
const RACE_IS_OVER_MS = RACE_MS + 500

const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

describeRedis('plain', `over three processes, ${ROUNDS} rounds`, () => {
  let cluster: ThreeNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startThreeNodes({ env: () => ({ RATE_LIMIT: 'off' }) })
    client = await createOAuthClient(cluster.url, { nodes: cluster.urls })
  })
  afterAll(() => cluster?.stop())

  /** The status of a call with a token at each node. */
  const statuses = (token: unknown) =>
    Promise.all(
      cluster.urls.map(async (url) => {
        const headers = withToken(String(token))
        return (await read(postModern(url, 'tools/list', {}, { headers }))).status
      }),
    )

  /** Plays one round; returns the tokens of the exchange that succeeded. */
  async function race(authorization: Authorization) {
    const exchanges = Array.from({ length: EXCHANGES }, () => client.exchange(authorization))
    const answers = await Promise.all(exchanges)
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    for (const lost of answers.filter((each) => !won.includes(each))) {
      expect(lost).toMatchObject(REFUSED)
    }
    return won[0]?.body ?? {}
  }

  test('of fifty concurrent exchanges one succeeds', {
    timeout: 120_000 + ROUNDS * 5000,
  }, async () => {
    const rounds: { authorization: Authorization; tokens: Record<string, unknown> }[] = []
    const started = performance.now()
    while (rounds.length < ROUNDS) {
      const round = async () => {
        const authorization = await client.authorize()
        return { authorization, tokens: await race(authorization) }
      }
      rounds.push(await expectWithin(RACE_MS, round))
    }
    process.stderr.write(`${ROUNDS} code races: ${Math.round(performance.now() - started)} ms\n`)
    for (const { tokens } of rounds) {
      expect(await statuses(tokens.access_token)).toEqual([200, 200, 200])
    }
    await delay(RACE_IS_OVER_MS)
    for (const { authorization, tokens } of rounds.slice(-REPLAYS)) {
      expect(await client.exchange(authorization)).toMatchObject(REFUSED)
      expect(await statuses(tokens.access_token)).toEqual([401, 401, 401])
      expect(await client.refresh(String(tokens.refresh_token))).toMatchObject(REFUSED)
    }
  })

  test('an exchange without the verifier neither succeeds nor consumes the code', async () => {
    const authorization = await client.authorize()
    const thefts = Array.from({ length: EXCHANGES }, (_, index) =>
      client.exchange(authorization, {
        code_verifier: index % 2 === 0 ? undefined : 'v'.repeat(43),
      }),
    )
    const [own, ...stolen] = await Promise.all([client.exchange(authorization), ...thefts])
    expect(own).toMatchObject({ status: 200 })
    for (const answer of stolen) expect(answer).toMatchObject({ status: 400 })
    expect(await statuses(own.body.access_token)).toEqual([200, 200, 200])
  })

  test('an exchange by another client neither succeeds nor consumes the code', async () => {
    const thief = await createOAuthClient(cluster.url, { nodes: cluster.urls })
    const authorization = await client.authorize()
    const thefts = Array.from({ length: EXCHANGES }, () => thief.exchange(authorization))
    const [own, ...stolen] = await Promise.all([client.exchange(authorization), ...thefts])
    expect(own).toMatchObject({ status: 200 })
    for (const answer of stolen) expect(answer).toMatchObject(REFUSED)
    await delay(RACE_IS_OVER_MS)
    expect(await thief.exchange(authorization)).toMatchObject(REFUSED)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
