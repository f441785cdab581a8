/** The packed doctor, installed on its own in an empty folder: it examines a server and gets a token. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startTestServer, type TestServer } from '@mcp-template/server/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
const source = join(import.meta.dirname, '..')

interface Report {
  readonly checks: readonly { readonly findings: readonly { readonly verdict: string }[] }[]
}

let folder = ''
let server: TestServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  await run('npm', ['pack', '--pack-destination', folder], { cwd: source })
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const options = ['--no-audit', '--no-fund', '--offline']
  await run('npm', ['install', ...options, `./${tarball}`], { cwd: folder })
  const project = join(source, '../server/test/fixtures/bank')
  server = await startTestServer({ project })
}, 240_000)
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('requires no other package, and is one file', () => {
  const installed = join(folder, 'node_modules')
  expect(readdirSync(installed).filter((name) => !name.startsWith('.'))).toEqual(['@mcp-template'])
  const own = join(installed, '@mcp-template/doctor')
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
  expect(dependencies).toBeUndefined()
  expect(readdirSync(join(own, 'dist'))).toEqual(['doctor.js'])
})

it('examines a running server', async () => {
  const args = ['doctor', server.url, '--json', '--hold', '1']
  const { stdout } = await run('npx', ['--offline', ...args], { cwd: folder }).catch(
    (error) => error,
  )
  const { checks }: Report = JSON.parse(stdout)
  expect(checks.length).toBeGreaterThan(10)
  const findings = checks.flatMap(({ findings }) => findings)
  expect(findings.filter(({ verdict }) => verdict === 'wrong')).toEqual([])
}, 240_000)

it('prints the usage', async () => {
  await expect(run('npx', ['--offline', 'doctor'], { cwd: folder })).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('npx @mcp-template/doctor URL'),
  })
})

it('gets a token by asking the user', async () => {
  const command = join(folder, 'node_modules/.bin/doctor')
  const child = spawn(process.execPath, [command, 'token', server.url])
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await expect.poll(() => said).toMatch(/^http\S+\/authorize\?\S+$/m)
  child.kill('SIGKILL')
  await once(child, 'close')
})
