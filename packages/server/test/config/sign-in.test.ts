/** Who must sign in for a token, who may, and the warnings at start. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load, production, refusal } from './load.ts'

const upstream = {
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com',
}
const endpoints = {
  UPSTREAM_ISSUER: '',
  UPSTREAM_AUTHORIZATION_ENDPOINT: 'https://id.example.com/authorize',
  UPSTREAM_TOKEN_ENDPOINT: 'https://id.example.com/token',
}
const required = { MCP_AUTH: 'required' }
const codes = (env: Record<string, string>) =>
  load(env).config.accessWarnings.map(({ code }) => code)

describe('LOGIN', () => {
  it.each([
    ['on-demand', {}],
    ['on-demand', required],
    ['on-demand', upstream],
    ['on-demand', { ...upstream, MCP_AUTH: 'optional' }],
    ['at-authorize', { ...upstream, ...required }],
    ['at-authorize', { ...upstream, ...endpoints, ...required }],
    ['on-demand', { ...upstream, ...required, LOGIN: 'on-demand' }],
    ['at-authorize', { LOGIN: 'at-authorize' }],
    ['on-demand', production],
    ['at-authorize', { ...production, ...required }],
    ['on-demand', { ...production, ...required, LOGIN: 'on-demand' }],
    ['on-demand', { ...upstream, ...required, DEMO: 'on' }],
  ])('is %s with %j', (login, env) => {
    expect(load(env).config.auth.issuer).toMatchObject({ login })
  })
})

describe('MCP_AUTH=required without a sign-in', () => {
  it('is refused with an explanation', () => {
    const { faults } = refusal({ ...required, DEMO: 'off' })
    const fault = faults.find(({ name }) => name === 'MCP_AUTH')
    expect(fault?.message).toMatch(/nobody can sign in.*UPSTREAM_ISSUER.*OAUTH_ISSUER/)
  })

  it('is refused in production', () => {
    const env = { ...production, ...required, ...endpoints, UPSTREAM_CLIENT_ID: '' }
    const none = Object.fromEntries(Object.entries(env).filter(([name]) => !/^UPSTREAM/.test(name)))
    expect(faultsOf(none)).toContain('MCP_AUTH')
  })

  it('is not reported for the demo, an external issuer, or an incomplete upstream', () => {
    expect(() => load(required)).not.toThrow()
    const OAUTH_ISSUER = 'https://login.example.com'
    expect(() => load({ ...required, OAUTH_ISSUER })).not.toThrow()
    expect(() => load({ ...production, ...required, OAUTH_ISSUER })).not.toThrow()
    expect(faultsOf({ ...required, UPSTREAM_CLIENT_ID: 'x' })).not.toContain('MCP_AUTH')
  })
})

describe('production warns at start', () => {
  it.each([
    [['mcp_auth_undecided'], {}],
    [[], { MCP_AUTH: 'optional' }],
    [[], required],
    [['login_on_demand'], { ...required, LOGIN: 'on-demand' }],
    [[], { MCP_AUTH: 'optional', LOGIN: 'on-demand' }],
    [[], { ...required, OAUTH_ISSUER: 'https://login.example.com' }],
    [['mcp_auth_undecided'], { OAUTH_ISSUER: 'https://login.example.com' }],
    [['anybody_signs_in'], { ...required, UPSTREAM_ISSUER: 'https://accounts.google.com' }],
    [
      [],
      {
        ...required,
        UPSTREAM_ISSUER: 'https://accounts.google.com',
        UPSTREAM_ALLOW: '@example.com',
      },
    ],
    [
      ['anybody_signs_in'],
      { ...required, UPSTREAM_ISSUER: 'https://login.microsoftonline.com/common/v2.0' },
    ],
    [[], { ...required, UPSTREAM_ISSUER: 'https://login.microsoftonline.com/7c1b2/v2.0' }],
    [[], { ...required, UPSTREAM_ISSUER: 'https://accounts.google.com.example.com' }],
  ])('%j with %j', (said, env) => {
    expect(codes({ ...production, ...env })).toEqual(said)
  })

  it('and development does not', () => {
    expect(codes({})).toEqual([])
    expect(codes({ ...upstream, ...required, LOGIN: 'on-demand' })).toEqual([])
  })

  it.each([
    ['https://mcp.example.com', ['not_production']],
    ['http://localhost:8080', []],
    ['http://127.0.0.1:8080', []],
  ])('development warns at %s', (PUBLIC_URL, said) => {
    expect(codes({ PUBLIC_URL })).toEqual(said)
  })
})

describe('UPSTREAM_ALLOW', () => {
  const rules = (UPSTREAM_ALLOW: string) => load({ UPSTREAM_ALLOW }).config.signIn.allow

  it('allows everybody if it is not set', () => {
    expect(load().config.signIn).not.toHaveProperty('allow')
  })

  it.each([
    ['@Example.COM', { kind: 'domain', domain: 'example.com' }],
    ['domain:example.com', { kind: 'domain', domain: 'example.com' }],
    ['@bücher.example', { kind: 'domain', domain: 'xn--bcher-kva.example' }],
    ['Ada@Example.com', { kind: 'email', email: 'Ada@example.com' }],
    ['email:ada@example.com', { kind: 'email', email: 'ada@example.com' }],
    ['sub:auth0|5f7c', { kind: 'claim', claim: 'sub', value: 'auth0|5f7c' }],
    ['sub:YWRh==', { kind: 'claim', claim: 'sub', value: 'YWRh==' }],
    ['group:Engineering', { kind: 'claim', claim: 'groups', value: 'Engineering' }],
    ['group:cn=eng%2Cou=groups', { kind: 'claim', claim: 'groups', value: 'cn=eng,ou=groups' }],
    ['roles=admin', { kind: 'claim', claim: 'roles', value: 'admin' }],
    ['realm_access.roles=admin', { kind: 'claim', claim: 'realm_access.roles', value: 'admin' }],
    [
      'https://example.com/groups=eng',
      { kind: 'claim', claim: 'https://example.com/groups', value: 'eng' },
    ],
  ])('accepts %s', (given, rule) => {
    expect(rules(given)).toEqual([rule])
  })

  it('accepts several, with spaces around', () => {
    expect(rules(' @a.example , sub:1,')).toHaveLength(2)
  })

  it.each([
    ['example.com', 1],
    ['@example.com, *', 2],
    ['@*.example.com', 1],
    ['@', 1],
    ['@localhost', 1],
    ['@example.com/x', 1],
    ['@example..com', 1],
    ['*@example.com', 1],
    ['a@b@example.com', 1],
    ['sub:', 1],
    ['group:', 1],
    ['roles=', 1],
    ['=admin', 1],
    ['email=ada@example.com', 1],
    ['group:100%', 1],
    ['Sub:1', 1],
  ])('refuses %j, naming entry %i and not its value', (given, place) => {
    const { faults } = refusal({ UPSTREAM_ALLOW: given })
    expect(faults).toEqual([
      {
        name: 'UPSTREAM_ALLOW',
        message: expect.stringMatching(new RegExp(`^entry ${place} must`)),
      },
    ])
  })

  it.each([',', ' , '])('refuses an empty list: %j', (given) => {
    expect(faultsOf({ UPSTREAM_ALLOW: given })).toEqual(['UPSTREAM_ALLOW'])
  })

  it('requests email addresses from the provider, or warns that they are not requested', () => {
    const env = { ...upstream, UPSTREAM_ALLOW: '@example.com' }
    expect(load(env).config.upstream).toMatchObject({ scopes: expect.arrayContaining(['email']) })
    expect(load(env).warnings).toEqual([])
    const { warnings } = load({ ...env, UPSTREAM_SCOPES: 'openid' })
    expect(warnings.map(({ code }) => code)).toEqual(['allow_without_email'])
    expect(load({ ...env, UPSTREAM_SCOPES: 'openid', UPSTREAM_ALLOW: 'sub:1' }).warnings).toEqual(
      [],
    )
  })

  it('is refused for a provider that does not identify people', () => {
    const plain = { ...upstream, ...endpoints, UPSTREAM_ALLOW: 'sub:1' }
    expect(faultsOf(plain)).toEqual(['UPSTREAM_ALLOW'])
    const UPSTREAM_USERINFO_ENDPOINT = 'https://id.example.com/user'
    expect(load({ ...plain, UPSTREAM_USERINFO_ENDPOINT }).warnings).toEqual([])
    const byEmail = { ...plain, UPSTREAM_USERINFO_ENDPOINT, UPSTREAM_ALLOW: '@example.com' }
    expect(load(byEmail).warnings.map(({ code }) => code)).toEqual(['allow_without_email'])
  })
})
