/** The sources of variables and their precedence. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load } from './load.ts'

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
