/** Warnings about weak access at `/readyz`, and in the doctor. */

import { afterEach, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { examineServer, withVerdict } from '../support/doctor.ts'
import { freePort } from '../support/free-port.ts'

const apps: TestApp[] = []
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()))
})

async function start(env: Readonly<Record<string, string>>): Promise<TestApp> {
  const port = String(await freePort())
  const production = {
    NODE_ENV: 'production',
    MASK_MCP_PORT: port,
    PUBLIC_URL: `http://localhost:${port}`,
    ENCRYPTION_KEY: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    JWT_SECRET: 'thirty-two characters or more of it',
    UPSTREAM_ISSUER: 'https://127.0.0.1:1',
    UPSTREAM_CLIENT_ID: 'mcp',
    UPSTREAM_API_URL: 'http://127.0.0.1:1',
  }
  const app = await startApp({ env: { ...production, ...env }, store: createMemoryStore() })
  apps.push(app)
  return app
}

interface Readiness {
  readonly status: string
  readonly warnings?: readonly { readonly code: string; readonly message: string }[]
}

const readyz = async ({ url }: TestApp) => {
  const answer = await fetch(`${url}/readyz`)
  return { status: answer.status, body: (await answer.json()) as Readiness }
}

test.each([
  [{}, ['mcp_auth_undecided']],
  [{ MCP_AUTH: 'required', LOGIN: 'on-demand' }, ['login_on_demand']],
])('%j is ready, with a warning', async (env, codes) => {
  const { status, body } = await readyz(await start(env))
  expect([status, body.status]).toEqual([200, 'ok'])
  const { warnings = [] } = body
  expect(warnings.map(({ code }) => code)).toEqual(codes)
  for (const { message } of warnings) expect(message).toContain('MCP_AUTH')
})

test.each([{ MCP_AUTH: 'required' }, { MCP_AUTH: 'optional' }])(
  '%j is ready without a warning',
  async (env) => {
    expect(await readyz(await start(env))).toEqual({ status: 200, body: { status: 'ok' } })
  },
)

test('the doctor explains it, with the fix', { timeout: 240_000 }, async () => {
  const app = await start({ MCP_AUTH: 'required', LOGIN: 'on-demand', RATE_LIMIT: 'off' })
  const said = withVerdict(await examineServer(app.url), 'warning').join('\n')
  expect(said).toMatch(/health: .*LOGIN=on-demand authenticates nobody.*Set LOGIN=at-authorize/)
})
