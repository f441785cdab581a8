/** Configuration errors: all reported at once, without the value of a secret. */

import { describe, expect, it } from 'vitest'
import { DEVELOPMENT_KEY } from '../../src/config/choose-keys.ts'
import { faultsOf, KEY, load, production, refusal } from './load.ts'

describe('faults', () => {
  it('lists everything that production lacks in one message', () => {
    const error = refusal({ NODE_ENV: 'production' })
    expect(error.faults.map(({ name }) => name)).toEqual([
      'ENCRYPTION_KEY',
      'UPSTREAM_ISSUER',
      'UPSTREAM_CLIENT_ID',
      'UPSTREAM_API_URL',
      'JWT_SECRET',
      'PUBLIC_URL',
    ])
    for (const { name } of error.faults) expect(error.message).toContain(`${name} is required`)
  })

  it('names malformed and missing variables together', () => {
    const names = faultsOf({ NODE_ENV: 'production', MASK_MCP_PORT: 'http', SESSION_TTL: '1h' })
    expect(names).toEqual(expect.arrayContaining(['MASK_MCP_PORT', 'SESSION_TTL', 'PUBLIC_URL']))
  })

  it('reports a required variable with a malformed value once', () => {
    const { message } = refusal({ ...production, ENCRYPTION_KEY: 'too short' })
    expect(message.match(/ENCRYPTION_KEY/g)).toHaveLength(1)
    expect(message).toContain('ENCRYPTION_KEY must be 32 bytes: 64 hexadecimal digits, base64 or')
  })

  it('shows no value', () => {
    const canary = 'CANARY-value'
    const error = refusal({
      ENCRYPTION_KEY: canary,
      ENCRYPTION_KEYS_PREVIOUS: canary,
      ENCRYPTION_IV: canary,
      REDIS_P: canary,
      REDIS_URL: `redis://user:${canary}@host/not-a-number`,
      UPSTREAM_API_KEY: `${canary} with spaces`,
    })
    expect(error.faults).toHaveLength(9)
    expect(JSON.stringify(error.faults) + error.message + error.stack).not.toContain(canary)
  })

  it.each([
    ['NODE_ENV', 'prod'],
    ['MASK_MCP_HOST', 'http://localhost'],
    ['MASK_MCP_PORT', '65536'],
    ['MASK_MCP_PORT', '-1'],
    ['MASK_MCP_PORT', '6901.5'],
    ['PUBLIC_URL', 'mcp.example.com'],
    ['PUBLIC_URL', 'https://mcp.example.com/mcp'],
    ['PUBLIC_URL', 'https://mcp.example.com?x=1'],
    ['PUBLIC_URL', 'https://user@mcp.example.com'],
    ['PUBLIC_URL', 'ftp://mcp.example.com'],
    ['ALLOWED_HOSTS', 'https://mcp.example.com'],
    ['ALLOWED_ORIGINS', 'mcp.example.com'],
    ['ALLOWED_ORIGINS', 'https://mcp.example.com/path'],
    ['ALLOWED_ORIGINS', '*'],
    ['BODY_LIMIT_BYTES', '1MB'],
    ['LOG_LEVEL', 'verbose'],
    ['STORE_PREFIX', '{mcp}:'],
    ['STORE_TIMEOUT_MS', '0'],
    ['SESSION_TTL', '0'],
    ['SIGN_IN_TTL', '5'],
    ['TOOL_TEXT_FORMAT', 'xml'],
    ['TOOL_TIMEOUT', '0'],
    ['DEMO', 'true'],
    ['ENCRYPTION_IV', '0f0e'],
    ['ENCRYPTION_KEYS_PREVIOUS', `${KEY},short`],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([name])
  })

  it.each([
    ['http://mcp.example.com', ['PUBLIC_URL']],
    ['http://localhost:6901', undefined],
    ['http://127.0.0.1:6901', undefined],
    ['http://[::1]:6901', undefined],
    ['http://127.0.0.1.evil.example', ['PUBLIC_URL']],
    ['http://127.0.0.2:6901', ['PUBLIC_URL']],
    ['http://mcp.localhost:6901', ['PUBLIC_URL']],
  ])('in production, PUBLIC_URL=%s: faults %j', (PUBLIC_URL, faults) => {
    const env = { ...production, PUBLIC_URL }
    if (faults === undefined) expect(load(env).config.http.publicUrl).toBe(PUBLIC_URL)
    else expect(faultsOf(env)).toEqual(faults)
  })
})

describe('keys', () => {
  it.each([
    ['hexadecimal', Buffer.alloc(32, 7).toString('hex'), Buffer.alloc(32, 7)],
    ['base64', Buffer.alloc(32, 0xfb).toString('base64'), Buffer.alloc(32, 0xfb)],
    ['base64url', Buffer.alloc(32, 0xfb).toString('base64url'), Buffer.alloc(32, 0xfb)],
    ['ASCII', 'abcdefghijklmnopqrstuvwxyz-+:!12', Buffer.from('abcdefghijklmnopqrstuvwxyz-+:!12')],
  ])('are read as %s', (_, given, expected) => {
    expect(load({ ENCRYPTION_KEY: given }).secrets.encryptionKeys).toEqual([expected])
  })

  it('puts the current key before those it replaced', () => {
    const previous = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const { secrets } = load({
      ENCRYPTION_KEY: KEY,
      ENCRYPTION_KEYS_PREVIOUS: previous.map((key) => key.toString('base64')).join(', '),
    })
    expect(secrets.encryptionKeys).toEqual([Buffer.from(KEY, 'hex'), ...previous])
  })

  it('refuses the published development key in production, in any spelling and place', () => {
    const hex = DEVELOPMENT_KEY.toString('hex')
    const base64 = DEVELOPMENT_KEY.toString('base64')
    expect(DEVELOPMENT_KEY).toHaveLength(32)
    expect(faultsOf({ ...production, ENCRYPTION_KEY: hex })).toEqual(['ENCRYPTION_KEY'])
    expect(faultsOf({ ...production, ENCRYPTION_KEY: base64 })).toEqual(['ENCRYPTION_KEY'])
    expect(faultsOf({ ...production, ENCRYPTION_KEYS_PREVIOUS: hex })).toEqual([
      'ENCRYPTION_KEYS_PREVIOUS',
    ])
  })
})
