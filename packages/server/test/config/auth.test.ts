/** Sign-in for clients: the built-in authorization server, or an external one in its place. */

import { describe, expect, it } from 'vitest'
import { DEVELOPMENT_JWT_SECRET } from '../../src/config/choose-auth.ts'
import { faultsOf, load, production, refusal } from './load.ts'

const OAUTH_ISSUER = 'https://login.example.com/realms/mcp'

/** OAUTH_CLIENTS of clients that are valid except for the given members. */
function clients(...given: object[]): string {
  return JSON.stringify(given.map((each) => ({ redirect_uris: ['http://127.0.0.1/'], ...each })))
}

describe('JWT_SECRET', () => {
  it('is the published one in development, which production refuses', () => {
    expect(load().secrets.jwtSecret).toBe(DEVELOPMENT_JWT_SECRET)
    const env = { ...production, JWT_SECRET: DEVELOPMENT_JWT_SECRET }
    expect(faultsOf(env)).toEqual(['JWT_SECRET'])
  })

  it.each([{ JWT_ALG: 'ES256' }, { JWT_ALG: 'EdDSA' }, { OAUTH_ISSUER }])(
    'is not required in production with %j',
    (other) => {
      expect(() => load({ ...production, JWT_SECRET: '', ...other })).not.toThrow()
    },
  )
})

describe('an external issuer', () => {
  it('replaces the built-in one', () => {
    expect(load({ OAUTH_ISSUER }).config.auth.issuer).toEqual({
      kind: 'external',
      url: OAUTH_ISSUER,
    })
    const OAUTH_AUDIENCE = 'api://mcp https://mcp.example.com'
    expect(load({ OAUTH_ISSUER, OAUTH_AUDIENCE }).config.auth.issuer).toMatchObject({
      audience: ['api://mcp', 'https://mcp.example.com'],
    })
  })

  it('must use https in production, except on loopback', () => {
    const at = (issuer: string) => ({ ...production, OAUTH_ISSUER: issuer })
    expect(faultsOf(at('http://login.example.com'))).toEqual(['OAUTH_ISSUER'])
    expect(() => load(at('http://127.0.0.1:8080'))).not.toThrow()
  })

  it.each([
    [
      'OAUTH_ISSUER',
      { PUBLIC_URL: 'https://mcp.example.com', OAUTH_ISSUER: 'https://MCP.example.com/' },
    ],
    ['OAUTH_ISSUER', { MASK_MCP_PORT: '7001', OAUTH_ISSUER: 'http://localhost:7001' }],
    ['LOGIN', { OAUTH_ISSUER, LOGIN: 'at-authorize' }],
    ['OAUTH_CLIENTS', { OAUTH_ISSUER, OAUTH_CLIENTS: clients({ client_id: 'reports' }) }],
  ])('conflicts with variables that it makes ineffective: %s of %j', (name, env) => {
    expect(faultsOf(env)).toEqual([name])
  })

  it('may share its host with the server', () => {
    const env = {
      PUBLIC_URL: 'https://mcp.example.com',
      OAUTH_ISSUER: 'https://mcp.example.com/id',
    }
    expect(() => load(env)).not.toThrow()
  })

  it('is required by OAUTH_AUDIENCE', () => {
    expect(faultsOf({ OAUTH_AUDIENCE: 'api://mcp' })).toEqual(['OAUTH_AUDIENCE'])
  })
})

describe('OAUTH_CLIENTS', () => {
  const client_id = 'reports'
  it.each([
    ['client_id', clients({})],
    ['client_id', clients({ client_id: '' })],
    ['client_id', clients({ client_id: 7 })],
    ['client_id', clients({ client_id: null })],
    ['client_id', clients({ client_id }, { client_id })],
    ['client_secret', clients({ client_id, client_secret: '' })],
    ['client_secret', clients({ client_id, client_secret: ['CANARY'] })],
    ['redirect_uris', clients({ client_id, redirect_uris: undefined })],
    ['redirect_uris', clients({ client_id, redirect_uris: [] })],
    ['redirect_uris', clients({ client_id, redirect_uris: 'http://127.0.0.1/' })],
    ['redirect_uris', clients({ client_id, redirect_uris: [7] })],
    ['token_endpoint_auth_method', clients({ client_id, token_endpoint_auth_method: 'CANARY' })],
    [
      'token_endpoint_auth_method',
      clients({ client_id, token_endpoint_auth_method: 'client_secret_post' }),
    ],
  ])('reports a faulty %s with all other faults: %s', (member, OAUTH_CLIENTS) => {
    const { faults, message } = refusal({ OAUTH_CLIENTS, LOG_LEVEL: 'verbose' })
    expect(faults.map(({ name }) => name)).toEqual(['LOG_LEVEL', 'OAUTH_CLIENTS'])
    expect(message).toMatch(new RegExp(`OAUTH_CLIENTS client \\d: ${member} `))
    expect(message).not.toContain('CANARY')
  })

  it.each(['none', 'client_secret_basic', 'client_secret_post'])('may use %s', (method) => {
    const client = { client_id, client_secret: 'its own', token_endpoint_auth_method: method }
    expect(load({ OAUTH_CLIENTS: clients(client) }).secrets.oauthClients).toHaveLength(1)
  })
})

it.each([
  ['OAUTH_DEFAULT_SCOPES', 'mcp "quoted"'],
  ['OAUTH_DEFAULT_SCOPES', 'back\\slash'],
  ['OAUTH_DEFAULT_SCOPES', 'schön'],
  ['OAUTH_REDIRECT_SCHEMES', 'javascript'],
  ['OAUTH_REDIRECT_SCHEMES', 'cursor,HTTPS'],
  ['OAUTH_REDIRECT_SCHEMES', 'http'],
  ['OAUTH_REDIRECT_SCHEMES', 'data,file'],
])('%s=%s is refused', (name, value) => {
  expect(faultsOf({ [name]: value })).toEqual([name])
})
