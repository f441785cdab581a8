/** UPSTREAM_PRESET: required variables, defaults, and overrides. */

import { describe, expect, it } from 'vitest'
import { PRESET_NAMES } from '../../src/config/presets.ts'
import { faultsOf, load } from './load.ts'

const CLIENT = { UPSTREAM_CLIENT_ID: 'mcp', UPSTREAM_CLIENT_SECRET: 's' }
const API = { UPSTREAM_API_URL: 'https://api.example.com' }
const issuer = (UPSTREAM_ISSUER: string) => ({ UPSTREAM_ISSUER, ...API })

/** The variables that the operator must add. */
const NEEDS = {
  google: API,
  github: {},
  entra: issuer('https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0'),
  auth0: issuer('https://example.eu.auth0.com/'),
  okta: issuer('https://example.okta.com/oauth2/default'),
  keycloak: issuer('https://id.example.com/realms/staff'),
  slack: {},
  atlassian: {},
  gitlab: {},
} as const

describe.each(PRESET_NAMES)('%s', (UPSTREAM_PRESET) => {
  const given: Record<string, string> = { UPSTREAM_PRESET, ...CLIENT, ...NEEDS[UPSTREAM_PRESET] }

  it('requires only the client, and what only the operator knows', () => {
    const { config } = load(given)
    expect(config.upstream).toMatchObject({ kind: 'configured', clientId: 'mcp' })
  })

  it.each(
    Object.keys(given).filter(
      (name) => name !== 'UPSTREAM_CLIENT_SECRET' && name !== 'UPSTREAM_PRESET',
    ),
  )('does not start without %s', (name) => {
    const { [name]: _, ...rest } = given
    expect(faultsOf(rest)).toContain(name)
  })

  it('lets the operator choose other scopes and another API', () => {
    const more = { UPSTREAM_SCOPES: 'one two', UPSTREAM_API_URL: 'https://other.example.com' }
    expect(load({ ...given, ...more }).config.upstream).toMatchObject({
      scopes: ['one', 'two'],
      api: { baseUrl: 'https://other.example.com' },
    })
  })
})

describe('a preset', () => {
  it('merges parameters, of which the operator may remove some', () => {
    const of = (UPSTREAM_AUTHORIZATION_PARAMETERS: string) => {
      const given = { UPSTREAM_PRESET: 'google', ...CLIENT, ...API }
      return load({ ...given, UPSTREAM_AUTHORIZATION_PARAMETERS }).config.upstream
    }
    expect(of('hd=example.com')).toMatchObject({
      authorizationParameters: { access_type: 'offline', prompt: 'consent', hd: 'example.com' },
    })
    expect(of('prompt=')).toMatchObject({
      authorizationParameters: { access_type: 'offline', prompt: '' },
    })
  })

  it('may be for a self-hosted server', () => {
    const { upstream } = load({
      ...{ UPSTREAM_PRESET: 'github', ...CLIENT },
      UPSTREAM_TOKEN_ENDPOINT: 'https://github.example.com/login/oauth/access_token',
    }).config
    expect(upstream).toMatchObject({
      provider: { tokenEndpoint: 'https://github.example.com/login/oauth/access_token' },
    })
  })

  it.each<[string, Record<string, string>]>([
    ['UPSTREAM_PRESET', { UPSTREAM_PRESET: 'gitub', ...CLIENT, ...API }],
    ['UPSTREAM_ISSUER', { UPSTREAM_PRESET: 'slack', ...CLIENT, ...issuer('https://slack.com') }],
    ['UPSTREAM_CLIENT_SECRET', { UPSTREAM_PRESET: 'github', UPSTREAM_CLIENT_ID: 'mcp' }],
    [
      'UPSTREAM_TOKEN_ENDPOINT',
      {
        UPSTREAM_PRESET: 'google',
        ...CLIENT,
        ...API,
        UPSTREAM_TOKEN_ENDPOINT: 'https://a.example',
      },
    ],
  ])('does not start with a fault in %s: %j', (name, env) => {
    expect(faultsOf(env)).toContain(name)
  })
})
