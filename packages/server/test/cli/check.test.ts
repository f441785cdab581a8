/** `mcp-template check`: reports all faults of a project at once, and opens nothing. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { COMMAND, copyProject } from '../support/project-copy.ts'

// Each command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 300_000 })

const { folder, remove } = copyProject()
afterAll(remove)

function check(env: Readonly<Record<string, string>> = {}, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, 'check', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const write = (path: string, text: string) => writeFileSync(join(folder, path), text)

describe('check', () => {
  it('lists the served and the skipped files', () => {
    write('src/tools/_money.ts', 'throw new Error()')
    expect(check()).toEqual({
      status: 0,
      stdout: [
        'mcp-template 0.1.0',
        '  tools: login, logout, service, session',
        '  resources: branches',
        '  prompts: account-summary',
        '  skipped: tools/_money.ts (shared code), tools/service.test.ts (a test)',
        '',
      ].join('\n'),
      stderr: '',
    })
  })

  it('opens neither a connection to Redis nor a port', () => {
    const { status } = check({ REDIS_URL: 'redis://127.0.0.1:1', MASK_MCP_PORT: '1' })
    expect(status).toBe(0)
  })

  it('prints warnings of the configuration, and passes', () => {
    write('production.env', 'NODE_ENV=production\nUNKNOWN_NAME=1\n')
    const { status, stdout, stderr } = check(
      {
        ...{ PUBLIC_URL: 'https://mcp.example.com', RATE_LIMIT: 'off', UPSTREAM_CLIENT_ID: 'acme' },
        ...{ UPSTREAM_ISSUER: 'https://id.example.com', UPSTREAM_CLIENT_SECRET: 'x' },
        UPSTREAM_API_URL: 'https://api.example.com',
        ...{ ENCRYPTION_KEY: '07'.repeat(32), JWT_SECRET: 'x'.repeat(32) },
      },
      ...['--env', 'production'],
    )
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^Warning: .*UNKNOWN_NAME/m)])
    expect(stderr).toMatch(/^Warning: MCP_AUTH/m)
    expect(stderr).toMatch(/^Warning: RATE_LIMIT=off/m)
    expect(stdout).toContain('tools: login')
  })

  it('reports all faults of configuration and files together', () => {
    write('src/tools/a.ts', 'export const nothing = 1')
    write('src/tools/b.ts', 'export default {')
    const { status, stdout, stderr } = check({ MASK_MCP_PORT: 'none', LOG_LEVEL: 'loud' })
    expect([status, stdout]).toEqual([1, ''])
    for (const word of ['MASK_MCP_PORT', 'LOG_LEVEL', 'tools/a.ts: has no', 'tools/b.ts: ']) {
      expect(stderr).toContain(word)
    }
  })

  it.each([
    ["throw new Error('not today')", 'Cannot load src/server.ts: not today\n'],
    [
      'export const x = 1',
      "src/server.ts must have a default export: defineServer({ name: '…' })\n",
    ],
    [
      "import { defineServer } from '@mcp-template/server'\nexport default defineServer({ name: 'a b' })",
      /^Cannot load src\/server\.ts: name must be 1 to 64 letters/,
    ],
    [
      "import { defineServer } from '@mcp-template/server'\nexport default defineServer({ name: 'a', branding: { color: 'red' } })",
      /^Cannot load src\/server\.ts: branding\.color must be six hexadecimal digits/,
    ],
  ])('names the fault of a declaration: %s', (code, expected) => {
    const before = readFileSync(join(folder, 'src/server.ts'), 'utf8')
    write('src/server.ts', code)
    const { status, stderr } = check()
    write('src/server.ts', before)
    expect(status).toBe(1)
    expect(stderr).toMatch(expected)
  })

  it('reports a missing project and unknown options', () => {
    const { status, stderr } = check({}, '--project', '/not/there')
    expect(status).toBe(1)
    expect(stderr).toMatch(/^There is no src\/server\.ts in \/not\/there\. .*--project FOLDER\n$/)
    expect(check({}, '--wrong').stderr).toMatch(/^Unknown option '--wrong'/)
    expect(check({}, 'stdio').stderr).toBe('Unexpected argument "stdio".\n')
    expect(check({}, '-h').stdout).toMatch(/^mcp-template COMMAND/)
  })
})
