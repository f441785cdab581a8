/** A log file on a full disk: requests are served, and the process stops on SIGTERM. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { type ServerProcess, spawnServer } from '../support/process.ts'

const TOOLS_DIR = join(import.meta.dirname, '../fixtures/faults')

async function startServer(env: Readonly<Record<string, string>>) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = spawnServer({
    env: { NODE_ENV: 'test', MASK_MCP_PORT: String(port), TOOLS_DIR, LOG_LEVEL: 'trace', ...env },
  })
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect.poll(isReady, { timeout: 60_000 }).toBe(true)
  return { server, url }
}

async function expectServed(url: string): Promise<void> {
  for (let request = 0; request < 200; request += 1) {
    expect((await fetch(`${url}/livez`)).status).toBe(200)
  }
}

async function exitsWithin(server: ServerProcess, ms: number) {
  const late = new Promise((resolve) => setTimeout(resolve, ms, 'late').unref())
  return Promise.race([server.exited, late])
}

describe.skipIf(!existsSync('/dev/full'))('a log file that refuses writes', () => {
  test.each([
    ['LOG_FILE', { LOG_FILE: '/dev/full' }],
    ['AUDIT_FILE', { AUDIT_FILE: '/dev/full' }],
  ] as [string, { LOG_FILE?: string; AUDIT_FILE?: string }][])(
    'delays neither requests nor SIGTERM: %s',
    async (_name, env) => {
      const { server, url } = await startServer(env)
      await expectServed(url)
      server.child.kill('SIGTERM')
      expect(await exitsWithin(server, 15_000)).toEqual({ code: 0, signal: null })
      // Nothing has been written to the audit log yet.
      const isSaid = env.LOG_FILE !== undefined
      expect(server.output.stderr.includes('cannot be written')).toBe(isSaid)
    },
  )

  test('does not delay a second signal', async () => {
    const { server, url } = await startServer({ LOG_FILE: '/dev/full', STOP_DELAY: '60' })
    server.child.kill('SIGTERM')
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(503)
    server.child.kill('SIGTERM')
    expect(await exitsWithin(server, 15_000)).toEqual({ code: 1, signal: null })
  })
})

/** Mounts a small file system that can be filled, if permitted. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

test('a disk that becomes full while serving, and has space again', async ({ skip }) => {
  const disk = smallDisk()
  if (disk === undefined) return skip('no file system can be mounted here')
  const file = join(disk, 'log')
  const { server, url } = await startServer({ LOG_FILE: file })
  await expect
    .poll(
      async () => {
        await expectServed(url)
        return server.output.stderr
      },
      { timeout: 60_000 },
    )
    .toContain('cannot be written')
  execFileSync('mount', ['-o', 'remount,size=8m', disk])
  await expectServed(url)
  await expect.poll(() => readFileSync(file).length).toBeGreaterThan(64 * 1024)
  server.child.kill('SIGTERM')
  expect(await exitsWithin(server, 15_000)).toEqual({ code: 0, signal: null })
  // No line is truncated or partly repeated.
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg')
  expect(lines.at(-1)).toContain('"msg":"stopped"')
})

test('a log file that is removed while it is open does not matter', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-log-'))
  const file = join(folder, 'deep', 'log')
  const { server, url } = await startServer({ LOG_FILE: file })
  rmSync(folder, { recursive: true })
  await expectServed(url)
  server.child.kill('SIGTERM')
  expect(await exitsWithin(server, 15_000)).toEqual({ code: 0, signal: null })
})
