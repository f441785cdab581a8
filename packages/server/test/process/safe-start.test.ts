/** Unsafe or mistyped configurations: refused at start, or warned about. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { spawnServer, startServerProcess } from '../support/process.ts'

const STACK = /^ +at /m

/** The variables that production requires; nothing listens at these addresses. */
const PRODUCTION = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://mcp.example.com',
  ENCRYPTION_KEY: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  JWT_SECRET: 'thirty-two characters or more of it',
  REDIS_URL: 'redis://127.0.0.1:1',
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com',
}

function folderWith(name: string, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-safe-start-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, name), content)
  return folder
}

async function refusal(options: Parameters<typeof spawnServer>[0]): Promise<string> {
  const server = spawnServer(options)
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stdout).toBe('')
  expect(server.output.stderr).not.toMatch(STACK)
  return server.output.stderr
}

describe('does not start', { timeout: 240_000 }, () => {
  test.each([
    ['MCP_AUHT', { MCP_AUHT: 'required' }, 'MCP_AUTH'],
    ['RATELIMIT', { RATELIMIT: 'on' }, 'RATE_LIMIT'],
    ['REDIS-URL', { 'REDIS-URL': 'redis://127.0.0.1:1' }, 'REDIS_URL'],
  ])('with %s', async (name, env, meant) => {
    expect(await refusal({ env })).toContain(`${name} is unknown: did you mean ${meant}?`)
  })

  test('over stdio with a mistyped name either, without output on stdout', async () => {
    const text = await refusal({ args: ['stdio'], env: { UPSTREAM_ALOW: '@example.com' } })
    expect(text).toContain('did you mean UPSTREAM_ALLOW?')
  })

  test('with a mistyped name in .env, which it names with its line', async () => {
    const folder = folderWith('.env', '# access\nMCP_AUHT=required\n')
    expect(await refusal({ folder })).toContain('MCP_AUHT (.env, line 2) is unknown')
  })

  test('with a .env that cannot be read', async () => {
    const folder = folderWith('.env', Buffer.from('MCP_AUTH=required\n', 'utf16le'))
    expect(await refusal({ folder })).toContain('.env must be UTF-8 text')
  })

  test('if tokens are required and nobody can sign in', async () => {
    const text = await refusal({ env: { MCP_AUTH: 'required', DEMO: 'off' } })
    expect(text).toContain('MCP_AUTH cannot be required while nobody can sign in')
  })

  test('with an invalid list of people', async () => {
    const text = await refusal({ env: { UPSTREAM_ALLOW: '@example.com,CANARY' } })
    expect(text).toContain('UPSTREAM_ALLOW entry 2 must be')
    expect(text).not.toContain('CANARY')
  })
})

const warnings = async (env: Readonly<Record<string, string>>, args: readonly string[] = []) => {
  const server = spawnServer({
    env: { ...PRODUCTION, MASK_MCP_PORT: '0', STOP_DELAY: '0', ...env },
    args,
  })
  if (args.length === 0) await server.line('ready')
  else server.child.stdin?.end()
  await server.stop()
  const { stdout, stderr } = server.output
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.includes('"level":"warn"'))
    .join('\n')
}

describe('starts in production and warns', { timeout: 240_000 }, () => {
  test('of an unset MCP_AUTH', async () => {
    expect(await warnings({})).toContain('MCP_AUTH is not set')
  })

  test('of tokens that do not identify a user', async () => {
    const on = { MCP_AUTH: 'required', LOGIN: 'on-demand' }
    expect(await warnings(on)).toContain(
      'MCP_AUTH=required with LOGIN=on-demand authenticates nobody',
    )
    expect(await warnings({ MCP_AUTH: 'required' })).not.toContain('LOGIN')
  })

  test('of neither over stdio', async () => {
    expect(await warnings({}, ['stdio'])).not.toContain('MCP_AUTH')
  })
})

test.each([
  ['an issuer', { UPSTREAM_ISSUER: 'http://localhost:1' }],
  [
    'endpoints',
    {
      UPSTREAM_ISSUER: '',
      UPSTREAM_AUTHORIZATION_ENDPOINT: 'https://id.example.com/authorize',
      UPSTREAM_TOKEN_ENDPOINT: 'HTTP://127.0.0.1:1/token',
    },
  ],
])('starts in production with %s over plain http on this machine', async (_what, upstream) => {
  const env = { ...PRODUCTION, ...upstream, MASK_MCP_PORT: '0', STOP_DELAY: '0' }
  const server = spawnServer({ env })
  await server.line('ready')
  await server.stop()
  expect(server.output.stdout).not.toContain('TypeError')
})

test.each([
  ['UPSTREAM_ISSUER', 'http://id.example.com', 'must use https, or localhost'],
  ['UPSTREAM_ISSUER', 'https://id.example.com/#x', 'without query, fragment and credentials'],
  ['UPSTREAM_API_URL', 'api.example.com', 'must be an http or https address'],
])('does not start in production with %s=%s', async (name, value, why) => {
  const text = await refusal({ env: { ...PRODUCTION, [name]: value } })
  expect(text).toContain(`${name} `)
  expect(text).toContain(why)
})

test('reads a .env of PowerShell, and reports unknown names', async () => {
  const text = '\ufeffAPP_NAME=Bänk\r\nSMTP_HOST=mail.example\r\n'
  const folder = folderWith('.env', Buffer.from(text, 'utf16le'))
  const server = await startServerProcess({ folder })
  const { publicUrl } = await server.line('ready')
  expect(await (await fetch(String(publicUrl))).json()).toMatchObject({ service: 'Bänk' })
  expect(server.output.stdout).toContain(
    'SMTP_HOST (.env, line 2) is not a variable of this server',
  )
  expect(server.output.stdout).not.toContain('mail.example')
})
