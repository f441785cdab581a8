/** The sources of variables and their precedence. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load, production } from './load.ts'

const files = {
  '.env': 'APP_NAME="From .env" # comment\nMASK_MCP_PORT=1\nSESSION_TTL=61\n',
  'staging.env': 'MASK_MCP_PORT=2\nSESSION_TTL=62\n',
}

describe('variables', () => {
  it('come from .env', () => {
    expect(load({}, { files }).config.app.name).toBe('From .env')
    expect(load({}, { files }).config.http.port).toBe(1)
  })

  it.each([
    [['--env', 'staging']],
    [['--env=staging']],
    [['stdio', '--verbose', '--env', 'staging']],
  ])('come from a named file before .env: %j', (argv) => {
    const { config } = load({}, { files, argv })
    expect(config.http.port).toBe(2)
    expect(config.app.name).toBe('From .env')
  })

  it('come from the process before both files', () => {
    const { config } = load({ SESSION_TTL: '63' }, { files, argv: ['--env', 'staging'] })
    expect(config.session.ttlSeconds).toBe(63)
    expect(config.http.port).toBe(2)
  })

  it('are not overridden by an empty one of the process', () => {
    expect(load({ SESSION_TTL: '' }, { files }).config.session.ttlSeconds).toBe(61)
  })

  it.each([[['--env', 'absent']], [['--env=']], [['--env']]])(
    'are refused if the file does not exist or is not named: %j',
    (argv) => {
      expect(faultsOf({ MASK_MCP_PORT: 'x' }, { files, argv })).toEqual(['--env', 'MASK_MCP_PORT'])
    },
  )
})

describe('PORT, which platforms set', () => {
  it('is the port where MASK_MCP_PORT is not set', () => {
    expect(load({ PORT: '8080' }).config.http.port).toBe(8080)
    expect(load({ PORT: '8080', MASK_MCP_PORT: '7001' }).config.http.port).toBe(7001)
    expect(load({ PORT: 'tcp://10.0.0.1:80' }).config.http.port).toBe(6901)
  })

  it.each<[object, boolean]>([
    [{ PORT: '8080' }, true],
    [{ PORT: '8080', MASK_MCP_PORT: '8080' }, true],
    [{ PORT: '8080', MASK_MCP_HOST: '0.0.0.0' }, false],
    [{ PORT: '8080', MASK_MCP_HOST: '127.0.0.1' }, false],
    [{ PORT: '8080', MASK_MCP_PORT: '7001' }, false],
    [{}, false],
  ])('warns in production of an address that the platform cannot reach: %j', (env, warns) => {
    const { accessWarnings } = load({ ...production, MCP_AUTH: 'required', ...env }).config
    const codes = accessWarnings.map(({ code }) => code)
    expect(codes).toEqual(warns ? ['platform_cannot_connect'] : [])
    expect(load(Object.fromEntries(Object.entries(env))).config.accessWarnings).toEqual([])
  })
})

describe('ALLOWED_ORIGINS', () => {
  it('may be * where a token is required', () => {
    expect(faultsOf({ ALLOWED_ORIGINS: '*' })).toEqual(['ALLOWED_ORIGINS'])
    expect(faultsOf({ ALLOWED_ORIGINS: '*', MCP_AUTH: 'optional' })).toEqual(['ALLOWED_ORIGINS'])
    const { config } = load({ ALLOWED_ORIGINS: '*', MCP_AUTH: 'required' })
    expect(config.http.allowedOrigins).toEqual(['*'])
  })

  it.each(['https://*', 'chrome-extension://*', '*.example.com', 'null'])(
    'has no other wildcards, and is not %s',
    (origin) => expect(faultsOf({ ALLOWED_ORIGINS: origin })).toEqual(['ALLOWED_ORIGINS']),
  )

  it('may name browser extensions', () => {
    const origin = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop'
    expect(load({ ALLOWED_ORIGINS: origin }).config.http.allowedOrigins).toEqual([origin])
  })
})
