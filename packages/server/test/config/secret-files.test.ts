/** `NAME_FILE` for secrets, and `PORT` below `MASK_MCP_PORT`. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SECRET_NAMES } from '../../src/config/names.ts'
import { faultsOf, KEY, load, production, refusal } from './load.ts'

const SECRET = 'thirty-two characters or more of it'

describe('a secret in a file', () => {
  it.each(['', '\n', '\r\n'])('is read without the newline at its end: %j', (end) => {
    const files = { jwt: `${SECRET}${end}` }
    expect(load({ JWT_SECRET_FILE: 'jwt' }, { files }).secrets.jwtSecret).toBe(SECRET)
  })

  it('is otherwise unchanged, such as a # at its start', () => {
    const files = { secret: '# "x" \n' }
    const env = { ...production, UPSTREAM_CLIENT_SECRET_FILE: 'secret' }
    expect(load(env, { files }).secrets.upstreamClientSecret).toBe('# "x" ')
  })

  it('may be named in .env', () => {
    const files = { '.env': 'METRICS_TOKEN_FILE=token', token: `${KEY}\n` }
    expect(load({}, { files }).secrets.metricsToken).toBe(KEY)
  })

  it('must meet the requirements of the variable; errors have its name and not its value', () => {
    const { message } = refusal({ ENCRYPTION_KEY_FILE: 'key' }, { files: { key: 'short-value' } })
    expect(message).toContain('ENCRYPTION_KEY ')
    expect(message).not.toContain('short-value')
    const { config } = load({ ENCRYPTION_KEY_FILE: 'key' }, { files: { key: `${KEY}\n` } })
    expect(config.usesDevelopmentKey).toBe(false)
  })

  it.each(SECRET_NAMES)('there is %s_FILE', (name) => {
    const { message } = refusal({ [`${name}_FILE`]: 'missing' })
    expect(message).toContain(`${name}_FILE names a file that cannot be read (ENOENT)`)
    expect(message).not.toContain('did you mean')
  })

  it('conflicts with the variable, also from another source, and names both', () => {
    const files = { '.env': `JWT_SECRET=${SECRET}`, jwt: SECRET }
    const { message } = refusal({ JWT_SECRET_FILE: 'jwt' }, { files })
    expect(message).toContain('JWT_SECRET_FILE conflicts with JWT_SECRET; set one')
  })

  it('is refused if the file is empty, a folder, too large, or not text', () => {
    const files = { empty: '\n', large: 'x'.repeat(65_537) }
    expect(refusal({ JWT_SECRET_FILE: 'empty' }, { files }).message).toContain('an empty file')
    expect(refusal({ JWT_SECRET_FILE: '.' }).message).toContain('cannot be read (EISDIR)')
    expect(refusal({ JWT_SECRET_FILE: 'large' }, { files }).message).toContain('more than 65536')
    expect(refusal({ JWT_SECRET_FILE: process.execPath }).message).toContain('JWT_SECRET_FILE')
  })

  it("may be one of a team's settings", () => {
    const settings = z.object({
      DESK_KEY: z.string().min(8).meta({ secret: true }),
      DESK_NOTE: z.string().optional(),
    })
    const files = { '.env': 'DESK_KEY_FILE=desk', desk: 'the key of the desk\n' }
    const loaded = load({}, { files, settings }).settings
    expect(loaded.values).toEqual({ DESK_KEY: 'the key of the desk' })
    expect(loaded.secrets).toContain('the key of the desk')
    const both = { DESK_KEY: 'another key of it', DESK_KEY_FILE: 'desk' }
    expect(refusal(both, { files, settings }).message).toContain('DESK_KEY_FILE conflicts with')
    const mistyped = refusal({ DESK_KEY_FILES: 'desk' }, { files: { desk: 'x' }, settings })
    expect(mistyped.message).toContain('did you mean DESK_KEY_FILE?')
    const plain = { ...files, note: 'x', '.env': 'DESK_KEY_FILE=desk\nDESK_NOTE_FILE=note' }
    expect(load({}, { files: plain, settings }).settings.values).not.toHaveProperty('DESK_NOTE')
  })

  it('may be one of an additional upstream', () => {
    const env = {
      ...production,
      UPSTREAMS: 'github',
      UPSTREAM_GITHUB_PRESET: 'github',
      UPSTREAM_GITHUB_CLIENT_ID: 'id',
      UPSTREAM_GITHUB_CLIENT_SECRET_FILE: 'github',
    }
    const { secrets } = load(env, { files: { github: 'a secret of github\n' } })
    expect(secrets.furtherUpstreams.get('github')?.clientSecret).toBe('a secret of github')
    expect(refusal(env).message).toContain('UPSTREAM_GITHUB_CLIENT_SECRET_FILE names a file')
    const unlisted = { ...production, UPSTREAM_GITLAB_CLIENT_SECRET_FILE: 'gitlab' }
    expect(refusal(unlisted, { files: { gitlab: 'x' } }).message).toContain('gitlab')
  })

  it('exists for secrets only', () => {
    expect(load({ APP_NAME_FILE: 'name' }, { files: { name: 'Acme' } }).config.app.name).not.toBe(
      'Acme',
    )
  })

  it('is detected if it is mistyped', () => {
    expect(faultsOf({ JWT_SECERT_FILE: 'jwt' })).toEqual(['JWT_SECERT_FILE'])
  })
})

describe('PORT', () => {
  const portOf = (env: Record<string, string>) => load(env).config.http.port

  it('is the port if MASK_MCP_PORT is not set', () => {
    expect(portOf({ PORT: '8080' })).toBe(8080)
    expect(portOf({ PORT: '0' })).toBe(0)
    expect(portOf({})).toBe(6901)
    expect(portOf({ PORT: '', MASK_MCP_PORT: '' })).toBe(6901)
  })

  it('is ignored if MASK_MCP_PORT is set, whatever its value', () => {
    expect(portOf({ PORT: '8080', MASK_MCP_PORT: '7000' })).toBe(7000)
    expect(portOf({ PORT: 'tcp://10.0.0.1:80', MASK_MCP_PORT: '0' })).toBe(0)
  })

  it('has no effect if it is not a port, or in a file', () => {
    expect(portOf({ PORT: 'none' })).toBe(6901)
    expect(portOf({ PORT: '65536' })).toBe(6901)
    expect(load({}, { files: { '.env': 'PORT=80' } }).config.http.port).toBe(6901)
  })
})
