/** `npm run cluster`, as a process: configured like the server, and each node can be watched. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { connectClient, structured } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { baseEnvironment } from '../support/process.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

const script = join(import.meta.dirname, '../../../../scripts/cluster.ts')
// Not through the `tsx` command, which handles signals differently.
const command = ['--import', import.meta.resolve('tsx'), script]

/** Three nodes load their sources: seconds of both processors, on an idle machine. */
const LONG = { timeout: 180_000 }
const TEST = { timeout: 240_000 }
const children: ChildProcess[] = []
const folder = mkdtempSync(join(tmpdir(), 'cluster-'))
afterEach(async () => {
  for (const child of children.splice(0)) await stop(child)
})
afterAll(() => rmSync(folder, { recursive: true }))

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = await ended
  return code
}

/** Starts it in a folder with this `.env`. */
function startCommand(
  variables: Record<string, string>,
  args: readonly string[] = [],
  env: Record<string, string> = {},
) {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(folder, '.env'), lines.join(''))
  const child = spawn(process.execPath, [...command, ...args], {
    cwd: folder,
    env: { ...baseEnvironment(), ...env },
  })
  children.push(child)
  const shown = { text: '' }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      shown.text += text
    })
  }
  return { child, shown }
}

describeRedis('plain', 'the command', () => {
  test('reads .env, has metrics of each node, and stops all of them', TEST, async () => {
    const port = await freePort()
    const { child, shown } = startCommand({
      ...{ MASK_MCP_PORT: String(port), METRICS_PORT: String(await freePort()) },
      ...{ APP_NAME: 'Out of the file', STOP_DELAY: '0', NODE_ENV: 'test' },
    })
    await expect.poll(() => shown.text, LONG).toContain('Ctrl-C stops everything')
    const url = `http://localhost:${port}`
    expect(shown.text).toContain(`${url}/mcp is served by 3 nodes`)

    const { client } = await connectClient(url, '2025-11-25')
    expect(client.getServerVersion()).toMatchObject({ name: 'Out of the file' })
    const link = structured<SignInLink>(await client.callTool({ name: 'login', arguments: {} }))
    expect((await signInAs(newBrowser(), link)).text).toContain('Login successful')
    await client.close()

    const addresses = [...shown.text.matchAll(/^Metrics: (\S+)$/gm)].map(([, address]) => address)
    expect(new Set(addresses).size).toBe(3)
    const metrics = await Promise.all(
      addresses.map(async (address) => (await fetch(address ?? '')).text()),
    )
    const signIns = metrics.flatMap(
      (text) => text.match(/^mcp_sign_ins_total{outcome="signed_in"} 1$/gm) ?? [],
    )
    expect(signIns).toHaveLength(1)
    expect(await stop(child)).toBe(0)
    await expect(fetch(`${url}/livez`)).rejects.toThrow()
  })
})

describeRedis('plain', 'with servers of its own', () => {
  test.each([
    ['cluster', 'redis+cluster://127.0.0.1:', 'cluster failover'],
    ['sentinel', 'redis+sentinel://127.0.0.1:', 'sentinel failover main'],
  ])('serves on --redis=%s', TEST, async (setup, address, failover) => {
    const port = await freePort()
    const env = { MASK_MCP_PORT: String(port), STOP_DELAY: '0', NODE_ENV: 'test' }
    const { child, shown } = startCommand(env, [`--redis=${setup}`])
    await expect.poll(() => shown.text, LONG).toContain('Ctrl-C stops everything')
    expect(shown.text).toContain(`Redis is ${address}`)
    expect(shown.text).toMatch(new RegExp(`^A failover: redis-cli -p \\d+ ${failover}$`, 'm'))
    const { client } = await connectClient(`http://localhost:${port}`, '2025-11-25')
    const link = structured<SignInLink>(await client.callTool({ name: 'login', arguments: {} }))
    expect((await signInAs(newBrowser(), link)).text).toContain('Login successful')
    await client.close()
    expect(await stop(child)).toBe(0)
  })
})

test.each([
  ['cluster', {}, { PATH: '/nowhere' }, '--redis=cluster needs redis-server 7 or later in PATH'],
  ['sentinel', {}, { PATH: '/nowhere' }, '--redis=sentinel needs redis-server in PATH'],
  ['single', {}, { PATH: '/nowhere' }, 'redis-server is not in PATH'],
  ['clustre', {}, {}, '--redis must be one of single, cluster, sentinel'],
  ['cluster', { REDIS_URL: 'redis://127.0.0.1:1' }, {}, '--redis starts servers of its own'],
])('reports what is missing: --redis=%s', async (setup, variables, env, message) => {
  const { child, shown } = startCommand(variables, [`--redis=${setup}`], env)
  const [code] = await once(child, 'close')
  expect(code).toBe(1)
  expect(shown.text).toContain(message)
  expect(shown.text).not.toMatch(/^ +at /m)
})

test('reports configuration errors once', async () => {
  const { child, shown } = startCommand({ SESSION_TTL: 'soon' })
  const [code] = await once(child, 'close')
  expect(code).toBe(1)
  expect(shown.text.match(/SESSION_TTL must be/g)).toHaveLength(1)
})
