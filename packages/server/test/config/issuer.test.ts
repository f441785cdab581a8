/** Variables of an external issuer: complete, without conflicts, and refused without an issuer. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load, production } from './load.ts'

const OAUTH_ISSUER = 'https://login.example.com/realms/mcp'
const PATTERN = 'https://login.example/{tenantid}/v2.0'
const CLIENT = {
  OAUTH_INTROSPECTION_CLIENT_ID: 'bank',
  OAUTH_INTROSPECTION_CLIENT_SECRET: 'secret-canary',
}

const withIssuer = (more: Record<string, string>) => ({ OAUTH_ISSUER, ...more })

describe('an external issuer', () => {
  it('has the requirements for tokens', () => {
    const { config, warnings } = load(
      withIssuer({
        OAUTH_TOKEN_ISSUERS: PATTERN,
        OAUTH_TENANTS: 'one two',
        OAUTH_CLIENTS_WITHOUT_AUDIENCE: 'app',
        OAUTH_SCOPE_CLAIMS: 'roles https://example.com/scopes',
        OAUTH_SCOPE_MAP: '{"Service.Read.All":"service:read other"}',
        OAUTH_TOKEN_MAX_AGE: '3600',
      }),
    )
    expect(config.auth.issuer).toEqual({
      kind: 'external',
      url: OAUTH_ISSUER,
      tokenIssuers: [PATTERN],
      tenants: ['one', 'two'],
      clientsWithoutAudience: ['app'],
      scopeClaims: ['roles', 'https://example.com/scopes'],
      scopeMap: { 'Service.Read.All': ['service:read', 'other'] },
      tokenMaxAge: 3600,
    })
    expect(warnings.map(({ code }) => code)).toContain('tokens_without_audience')
  })

  it('may introspect tokens, with the secret stored separately', () => {
    const { config, secrets } = load(withIssuer({ OAUTH_INTROSPECTION: 'always', ...CLIENT }))
    expect(config.auth.issuer).toMatchObject({
      introspection: { mode: 'always', clientId: 'bank', auth: 'basic' },
    })
    expect(secrets.introspectionClientSecret).toBe('secret-canary')
    expect(JSON.stringify(config)).not.toContain('canary')
  })

  it.each<[string, Record<string, string>]>([
    ['OAUTH_TENANTS', { OAUTH_TOKEN_ISSUERS: PATTERN }],
    ['OAUTH_TENANTS', { OAUTH_TENANTS: 'one' }],
    ['OAUTH_TENANTS', { OAUTH_TOKEN_ISSUERS: PATTERN, OAUTH_TENANTS: '*' }],
    ['OAUTH_TOKEN_ISSUERS', { OAUTH_TOKEN_ISSUERS: 'sts.windows.net' }],
    ['OAUTH_SCOPE_MAP', { OAUTH_SCOPE_MAP: 'a=b' }],
    ['OAUTH_SCOPE_MAP', { OAUTH_SCOPE_MAP: '["a"]' }],
    ['OAUTH_SCOPE_MAP', { OAUTH_SCOPE_MAP: '{"a":1}' }],
    ['OAUTH_SCOPE_MAP', { OAUTH_SCOPE_MAP: '{"a":""}' }],
    ['OAUTH_TOKEN_MAX_AGE', { OAUTH_TOKEN_MAX_AGE: '1' }],
    ['OAUTH_INTROSPECTION', { OAUTH_INTROSPECTION: 'on' }],
    [
      'OAUTH_INTROSPECTION_CLIENT_ID',
      { OAUTH_INTROSPECTION: 'opaque', OAUTH_INTROSPECTION_CLIENT_SECRET: 's' },
    ],
    [
      'OAUTH_INTROSPECTION_CLIENT_SECRET',
      { OAUTH_INTROSPECTION: 'opaque', OAUTH_INTROSPECTION_CLIENT_ID: 'c' },
    ],
    ['OAUTH_INTROSPECTION_AUTH', { OAUTH_INTROSPECTION_AUTH: 'post' }],
    [
      'OAUTH_INTROSPECTION_ENDPOINT',
      { OAUTH_INTROSPECTION_ENDPOINT: 'https://login.example.com/i' },
    ],
    ['OAUTH_ISSUER', { OAUTH_ISSUER: `${OAUTH_ISSUER}/.well-known/openid-configuration` }],
  ])('does not start with a fault in %s: %j', (name, more) => {
    expect(faultsOf(withIssuer(more))).toContain(name)
  })

  it('is introspected over https in production', () => {
    const OAUTH_INTROSPECTION_ENDPOINT = 'http://login.example.com/introspect'
    const more = { OAUTH_ISSUER, OAUTH_INTROSPECTION: 'opaque', ...CLIENT }
    expect(faultsOf({ ...production, ...more, OAUTH_INTROSPECTION_ENDPOINT })).toEqual([
      'OAUTH_INTROSPECTION_ENDPOINT',
    ])
  })

  it.each([
    ['OAUTH_TOKEN_ISSUERS', 'https://a.example'],
    ['OAUTH_CLIENTS_WITHOUT_AUDIENCE', 'app'],
    ['OAUTH_SCOPE_CLAIMS', 'roles'],
    ['OAUTH_SCOPE_MAP', '{"a":"b"}'],
    ['OAUTH_TOKEN_MAX_AGE', '3600'],
    ['OAUTH_INTROSPECTION', 'opaque'],
    ['OAUTH_INTROSPECTION_CLIENT_ID', 'c'],
  ])('is required by %s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([name])
  })
})
