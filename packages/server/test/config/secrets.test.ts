/** Secrets are read by name only, and never printed. */

import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { load } from './load.ts'

describe('secrets', () => {
  const { config, secrets } = load({
    REDIS_URL: 'redis://:canary@localhost',
    ENCRYPTION_KEY: 'canary-canary-canary-canary-cana',
  })

  it('are accessible by name', () => {
    expect(secrets.redisPassword).toBe('canary')
    expect(secrets.encryptionKeys[0]?.toString()).toContain('canary')
    expect(secrets.upstreamApiKey).toBeUndefined()
  })

  it.each([
    ['JSON', JSON.stringify({ secrets })],
    ['inspect', inspect({ secrets }, { depth: 9, showHidden: true })],
    ['format', format('%s %o %j', secrets, secrets, secrets)],
    ['template', `${secrets}`],
    ['spread', inspect({ ...secrets })],
    ['config', inspect(config, { depth: 9 })],
  ])('do not show in %s', (_, shown) => {
    expect(shown).not.toContain('canary')
    expect(shown).not.toContain('63 61 6e 61 72 79')
  })

  it('are printed as secrets', () => {
    expect(JSON.stringify({ secrets })).toBe('{"secrets":"[secrets]"}')
    expect(inspect(secrets)).toBe('[secrets]')
  })
})
