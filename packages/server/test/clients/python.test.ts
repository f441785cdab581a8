/** The official Python client, a process of its own: one connection through all that ends tokens. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { CLUSTER_CATALOG, startThreeNodes } from '../support/three-nodes.ts'

const PYTHON = join(import.meta.dirname, '../../../../.cache/python-client/bin/python')
const SCRIPT = join(import.meta.dirname, 'python-client.py')
const isThere = existsSync(PYTHON)
if (!isThere) process.stderr.write('Skipped: the Python client: sh .ci/python-client.sh\n')

const TOKEN_SECONDS = 30
const ENV = {
  MCP_AUTH: 'required',
  RATE_LIMIT: 'off',
  ACCESS_TOKEN_TTL: String(TOKEN_SECONDS),
  OAUTH_DEFAULT_SCOPES: 'mcp',
}

async function startOne(env: Readonly<Record<string, string>>): Promise<string> {
  const app = await startApp({ env: { ...ENV, ...env }, catalogDirectory: CLUSTER_CATALOG })
  onTestFinished(() => app.stop())
  return app.url
}

async function startThree(env: Readonly<Record<string, string>>): Promise<string> {
  const cluster = await startThreeNodes({ env: () => ({ ...ENV, ...env }) })
  onTestFinished(() => cluster.stop())
  return cluster.url
}

describe.runIf(isThere || process.env.REQUIRE_CLIENTS === '1')('mcp 1.30', () => {
  test('is there', () => expect(isThere).toBe(true))

  test.runIf(isThere).each([
    ['one node', startOne, 'on-demand'],
    ['one node', startOne, 'at-authorize'],
    ['three nodes', startThree, 'on-demand'],
  ] as const)('on %s keeps its connection', { timeout: 120_000 }, async (where, start, login) => {
    if (where === 'three nodes' && redisMissing('plain') !== undefined) return
    const url = await start({ LOGIN: login })
    const args = [SCRIPT, `${url}/mcp`, String(TOKEN_SECONDS + 1)]
    const { stdout } = await promisify(execFile)(PYTHON, args)
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const wider = 'mcp service:read'
    expect(steps).toEqual([
      { step: 'authorized', before: '', same: true, scope: 'mcp', consents: 1 },
      { step: 'step-up', before: 'kept', same: true, scope: wider, consents: 2 },
      { step: 'expiry', before: 'kept', same: true, scope: wider, consents: 2 },
      { step: 'logout', before: '', same: true, scope: expect.any(String), consents: 3 },
      { step: 'revocation', before: '', same: true, scope: expect.any(String), consents: 4 },
    ])
  })
})
