/** `mcp-template encrypt`, as a process: what it prints is what the configuration reads. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { COMMAND } from '../support/project-copy.ts'

// Each command is a process that loads the framework from its sources.
vi.setConfig({ testTimeout: 300_000 })

const command = [...COMMAND, 'encrypt']
const folder = mkdtempSync(join(tmpdir(), 'encrypt-'))
afterAll(() => rmSync(folder, { recursive: true }))

const keys = { ENCRYPTION_KEY: '07'.repeat(32), ENCRYPTION_IV: '09'.repeat(16) }
const PATH = process.env.PATH ?? ''

function encrypt(args: string[], input: string, env: Record<string, string> = keys) {
  const options = { cwd: folder, input, env: { PATH, ...env }, encoding: 'utf8' } as const
  return spawnSync(process.execPath, [...command, ...args], options)
}

function redisPassword(REDIS_P: string, env: Record<string, string> = keys) {
  return loadConfig({ env: { ...env, REDIS_P }, cwd: folder }).secrets.redisPassword
}

describe('encrypt', () => {
  it('turns standard input into a value that the configuration decrypts', () => {
    const { stdout, stderr } = encrypt([], 'p@ss wörd\n')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^[A-Za-z0-9+/]+=*\n$/)
    expect(redisPassword(stdout.trim())).toBe('p@ss wörd')
  })

  it('reads the key from a named file', () => {
    const lines = Object.entries(keys).map((entry) => entry.join('='))
    writeFileSync(join(folder, 'staging.env'), lines.join('\n'))
    const { stdout } = encrypt(['--env', 'staging'], 'secret', {})
    expect(redisPassword(stdout.trim())).toBe('secret')
  })

  it('generates keys that it and the configuration accept', () => {
    const { stdout } = encrypt(['--generate'], '', {})
    const [key, iv, jwtSecret, forCompose] = stdout.trim().split('\n')
    expect(key).toMatch(/^ENCRYPTION_KEY=[\da-f]{64}$/)
    expect(iv).toMatch(/^ENCRYPTION_IV=[\da-f]{32}$/)
    expect(jwtSecret).toMatch(/^JWT_SECRET=[\w-]{43}$/)
    expect(forCompose).toMatch(/^REDIS_PASSWORD=[\da-f]{48}$/)
    const generated = parseEnv(stdout) as Record<string, string>
    expect(redisPassword(encrypt([], 'secret', generated).stdout.trim(), generated)).toBe('secret')
    expect(encrypt(['--generate'], '', {}).stdout).not.toBe(stdout)
  })

  it.each([[['hunter2']], [['--secret=hunter2']], [['--generate', 'hunter2']]])(
    'refuses a secret in arguments without repeating it: %j',
    (args) => {
      const { status, stdout, stderr } = encrypt(args, 'ignored')
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toContain('No secret is taken from arguments')
      expect(stderr).not.toContain('hunter2')
    },
  )

  it('refuses empty input', () => {
    const { status, stdout, stderr } = encrypt([], '\n')
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain('The secret to encrypt is empty')
  })

  it('reports which of key and vector are missing or malformed', () => {
    const { status, stderr } = encrypt([], 'secret', { ENCRYPTION_IV: 'short' })
    expect(status).toBe(1)
    expect(stderr).toContain('ENCRYPTION_KEY must be 32 bytes')
    expect(stderr).toContain('ENCRYPTION_IV must be 16 bytes')
  })

  // `script` gives a process a terminal; Linux has it, with these options.
  it.runIf(process.platform === 'linux' && existsSync('/usr/bin/script'))(
    'asks on a terminal and shows nothing of what is typed',
    async () => {
      const shown = await onTerminal('typed secret\r')
      expect(shown).not.toContain('typed')
      expect(redisPassword(shown.trim().split('\n').at(-1) ?? '')).toBe('typed secret')
      expect(await onTerminal('\u0003')).toContain('Interrupted.')
    },
  )
})

/** Types at the prompt, and returns the whole terminal output. */
async function onTerminal(typed: string): Promise<string> {
  const line = [process.execPath, ...command].map((part) => `'${part}'`).join(' ')
  const terminal = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], {
    cwd: folder,
    env: { PATH, SHELL: '/bin/sh', ...keys },
  })
  let shown = ''
  terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (shown === '') terminal.stdin.write(typed)
    shown += chunk
  })
  await once(terminal, 'close')
  return shown
}
