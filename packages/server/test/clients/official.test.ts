/**
 * Official clients in Python, Go and Rust: one MCP session through expiry, logout and revocation.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { describeUnless } from '../support/suite-that-needs.ts'
import { CLUSTER_CATALOG, startThreeNodes } from '../support/three-nodes.ts'
import { type OfficialClient, startOfficialClient } from './official-client.ts'
import {
  isProgramRequired,
  OFFICIAL_PROGRAMS,
  type OfficialProgram,
  programMissing,
} from './official-programs.ts'

const TOKEN_SECONDS = 30
const ENV = {
  MCP_AUTH: 'required',
  RATE_LIMIT: 'off',
  ACCESS_TOKEN_TTL: String(TOKEN_SECONDS),
  OAUTH_DEFAULT_SCOPES: 'mcp',
}
const WIDER = 'mcp service:read'

interface Served {
  readonly url: string
  stop(): Promise<void>
}

const places = {
  'one node': (env: Readonly<Record<string, string>>): Promise<Served> =>
    startApp({ env: { ...ENV, ...env }, catalogDirectory: CLUSTER_CATALOG }),
  'three nodes': (env: Readonly<Record<string, string>>): Promise<Served> =>
    startThreeNodes({ env: () => ({ ...ENV, ...env }) }),
}

/** Signs the person in at the link that `login` gives, in the browser that authorized the client. */
async function signIn({ browser, call }: OfficialClient): Promise<void> {
  const { result } = await call('login')
  const choice = await browser.open(String(result?.url), {})
  const page = await browser.open(choice.url, { person: 'ada' })
  expect(page.text).toContain('Login successful')
}

/** Plays the steps of a session in order; returns the outcome of each. */
async function playSession(client: OfficialClient, url: string, login: string) {
  const steps: object[] = []
  let first: unknown
  async function step(name: string, text?: string) {
    const { result, connection, ...held } = await client.call('remember', { text })
    first ??= connection
    const same = connection === first
    // Some clients request them in a different order each time.
    const scope = held.scope.split(' ').sort().join(' ')
    steps.push({ name, before: result?.before, same, scope, consents: client.consents() })
    return held
  }

  await step('authorized', 'kept')
  if (login === 'on-demand') await signIn(client)
  const { result } = await client.call('service')
  expect(result).toMatchObject({ owner: 'Ada Lovelace' })
  await step('step-up')
  await delay((TOKEN_SECONDS + 1) * 1000)
  expect((await client.call('service')).result).toMatchObject({ owner: 'Ada Lovelace' })
  await step('expiry')
  await client.call('logout')
  const { client_id, refresh_token } = await step('logout', 'anew')
  const body = new URLSearchParams({ client_id, token: refresh_token })
  expect((await fetch(`${url}/revoke`, { method: 'POST', body })).status).toBe(200)
  await step('revocation')
  return steps
}

const EXPECTED = [
  { name: 'authorized', before: '', same: true, scope: 'mcp', consents: 1 },
  { name: 'step-up', before: 'kept', same: true, scope: WIDER, consents: 2 },
  { name: 'expiry', before: 'kept', same: true, scope: WIDER, consents: 2 },
  { name: 'logout', before: '', same: true, scope: expect.any(String), consents: 3 },
  { name: 'revocation', before: '', same: true, scope: expect.any(String), consents: 4 },
]

function testProgram(program: OfficialProgram, login: string, served: () => Served): void {
  const missing = programMissing(program)
  if (missing === undefined) {
    test.concurrent(program.title, { timeout: 400_000 }, async ({ onTestFinished }) => {
      const { url } = served()
      const command = program.command(`${url}/mcp`, program.title)
      const client = await startOfficialClient(command, program)
      onTestFinished(() => client.close())
      expect(await playSession(client, url, login)).toEqual(EXPECTED)
    })
  } else if (isProgramRequired(program)) {
    test(program.title, () => expect.fail(missing))
  } else {
    process.stderr.write(`Skipped: ${program.title}: ${missing}\n`)
    test.skip(`${program.title} (${missing})`, () => undefined)
  }
}

describe.each(['one node', 'three nodes'] as const)('on %s', (place) => {
  const missing = place === 'three nodes' ? redisMissing('plain') : undefined
  describeUnless(missing, 'REQUIRE_REDIS', 'one connection goes on through all', () => {
    // Both at the same time: most of it is waiting for tokens to expire.
    describe.concurrent.each(['on-demand', 'at-authorize'])('with LOGIN=%s', (login) => {
      let served: Served | undefined
      beforeAll(async () => {
        served = await places[place]({ LOGIN: login })
      }, 300_000)
      afterAll(() => served?.stop())
      const started = () => served ?? expect.fail('no server')
      for (const program of OFFICIAL_PROGRAMS) testProgram(program, login, started)
    })
  })
})
