/** The demo or a completely configured upstream. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load, production, refusal } from './load.ts'

const issuer = {
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com/v1',
}
const endpoints = {
  UPSTREAM_AUTHORIZATION_ENDPOINT: 'https://id.example.com/authorize?tenant=1',
  UPSTREAM_TOKEN_ENDPOINT: 'https://id.example.com/token',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com/v1',
}

describe('the upstream', () => {
  it('is an issuer with its defaults', () => {
    expect(load(issuer).config.upstream).toEqual({
      kind: 'configured',
      name: 'upstream',
      provider: { issuer: 'https://id.example.com' },
      clientId: 'mcp',
      scopes: ['openid', 'offline_access'],
      authorizationParameters: {},
      api: { baseUrl: 'https://api.example.com/v1', apiKeyHeader: 'x-api-key', timeoutMs: 10_000 },
    })
  })

  it('is plain OAuth 2.0 endpoints', () => {
    const { upstream } = load({
      ...endpoints,
      UPSTREAM_REVOCATION_ENDPOINT: 'https://id.example.com/revoke',
    }).config
    expect(upstream).toMatchObject({
      provider: {
        authorizationEndpoint: 'https://id.example.com/authorize?tenant=1',
        tokenEndpoint: 'https://id.example.com/token',
        revocationEndpoint: 'https://id.example.com/revoke',
      },
      scopes: [],
    })
    expect(upstream).not.toHaveProperty('provider.userinfoEndpoint')
  })

  it("sends the provider's own parameters, but none of OAuth", () => {
    const parameters = 'access_type=offline&prompt=consent'
    const { upstream } = load({ ...issuer, UPSTREAM_AUTHORIZATION_PARAMETERS: parameters }).config
    expect(upstream).toMatchObject({
      authorizationParameters: { access_type: 'offline', prompt: 'consent' },
    })
    for (const bad of ['redirect_uri=https://evil.example', 'state=x', 'a', '=b', 'a=1&a=2']) {
      const faults = faultsOf({ ...issuer, UPSTREAM_AUTHORIZATION_PARAMETERS: bad })
      expect(faults.join()).toContain('UPSTREAM_AUTHORIZATION_PARAMETERS')
    }
  })

  it('stores its secrets separately', () => {
    const { config, secrets } = load({
      ...issuer,
      UPSTREAM_NAME: 'bank',
      UPSTREAM_SCOPES: ' openid  accounts:read ',
      UPSTREAM_CLIENT_SECRET: 'client-canary',
      UPSTREAM_API_KEY: 'key-canary',
      UPSTREAM_API_KEY_HEADER: 'X-Bank-Key',
      UPSTREAM_API_TIMEOUT: '3',
    })
    expect(config.upstream).toMatchObject({
      name: 'bank',
      scopes: ['openid', 'accounts:read'],
      api: { apiKeyHeader: 'x-bank-key', timeoutMs: 3000 },
    })
    expect(secrets.upstreamClientSecret).toBe('client-canary')
    expect(secrets.upstreamApiKey).toBe('key-canary')
    expect(JSON.stringify(config)).not.toContain('canary')
  })

  it.each([
    ['issuer alone', ['UPSTREAM_ISSUER'], ['UPSTREAM_CLIENT_ID', 'UPSTREAM_API_URL']],
    ['API alone', ['UPSTREAM_API_URL'], ['UPSTREAM_ISSUER', 'UPSTREAM_CLIENT_ID']],
    ['no API', ['UPSTREAM_ISSUER', 'UPSTREAM_CLIENT_ID'], ['UPSTREAM_API_URL']],
  ] as const)('is refused if it is incomplete, even in development: %s', (_, given, missing) => {
    expect(faultsOf(Object.fromEntries(given.map((name) => [name, issuer[name]])))).toEqual(missing)
  })

  it('is refused with only a secret, or without one of the two endpoints', () => {
    const all = ['UPSTREAM_ISSUER', 'UPSTREAM_CLIENT_ID', 'UPSTREAM_API_URL']
    expect(faultsOf({ UPSTREAM_API_KEY: 'x' })).toEqual(all)
    const { UPSTREAM_TOKEN_ENDPOINT: _, ...rest } = endpoints
    expect(faultsOf(rest)).toEqual(['UPSTREAM_TOKEN_ENDPOINT'])
  })

  it('is refused with an issuer and endpoints', () => {
    expect(faultsOf({ ...endpoints, ...issuer })).toEqual([
      'UPSTREAM_AUTHORIZATION_ENDPOINT',
      'UPSTREAM_TOKEN_ENDPOINT',
    ])
  })

  it('requires https, or loopback, for URLs that receive codes and tokens', () => {
    for (const others of [issuer, production]) {
      const at = (UPSTREAM_ISSUER: string) => ({ ...others, UPSTREAM_ISSUER })
      expect(load(at('http://localhost:8080')).config.upstream.kind).toBe('configured')
      expect(faultsOf(at('http://id.example.com'))).toEqual(['UPSTREAM_ISSUER'])
    }
  })

  it.each([
    ['UPSTREAM_ISSUER', 'id.example.com'],
    ['UPSTREAM_ISSUER', 'https://id.example.com?x=1'],
    ['UPSTREAM_API_URL', 'https://user:pass@api.example.com'],
    ['UPSTREAM_API_URL', 'file:///etc/passwd'],
    ['UPSTREAM_API_URL', 'https://api.example.com/#x'],
    ['UPSTREAM_API_URL', 'api.example.com/v1'],
    ['UPSTREAM_ISSUER', 'https://id.example.com#'],
    ['UPSTREAM_ISSUER', 'https://user@id.example.com'],
    ['UPSTREAM_ISSUER', 'localhost:8080'],
    ['UPSTREAM_ISSUER', 'http://'],
    ['UPSTREAM_ISSUER', 'http://localhost.evil.example'],
    ['UPSTREAM_ISSUER', 'http://127.0.0.1.evil.example'],
    ['UPSTREAM_API_KEY_HEADER', 'x key'],
    ['UPSTREAM_NAME', 'My Bank'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ ...issuer, [name]: value })).toEqual([name])
  })
})

describe.each([
  'UPSTREAM_AUTHORIZATION_ENDPOINT',
  'UPSTREAM_TOKEN_ENDPOINT',
  'UPSTREAM_REVOCATION_ENDPOINT',
  'UPSTREAM_USERINFO_ENDPOINT',
])('%s', (name) => {
  it.each([
    'http://id.example.com/x',
    'id.example.com/x',
    'ftp://id.example.com/x',
    'https://id.example.com/x#y',
    'https://user:pass@id.example.com/x',
  ])('refuses %s, in production too', (value) => {
    const { UPSTREAM_ISSUER: _, ...others } = production
    expect(faultsOf({ ...endpoints, [name]: value })).toEqual([name])
    expect(faultsOf({ ...others, ...endpoints, [name]: value })).toEqual([name])
  })
})

describe('the demo', () => {
  it('is on in development and in tests, and off with an upstream', () => {
    expect(load().config.upstream.kind).toBe('demo')
    expect(load({ NODE_ENV: 'test' }).config.upstream.kind).toBe('demo')
    expect(load(issuer).config.upstream.kind).toBe('configured')
  })

  it('can be enabled although an upstream is configured', () => {
    expect(load({ ...issuer, DEMO: 'on' }).config.upstream.kind).toBe('demo')
  })

  it('must be replaced by an upstream when it is off', () => {
    expect(faultsOf({ DEMO: 'off' })).toEqual([
      'UPSTREAM_ISSUER',
      'UPSTREAM_CLIENT_ID',
      'UPSTREAM_API_URL',
    ])
  })

  it('is refused in production', () => {
    expect(faultsOf({ ...production, DEMO: 'on' })).toEqual(['DEMO'])
  })

  it('requires https or loopback for the URL of its provider', () => {
    const PUBLIC_URL = 'http://192.168.1.5:6901'
    const { message } = refusal({ PUBLIC_URL })
    expect(message).toContain('PUBLIC_URL must use https, or localhost, while the demo is on')
    expect(faultsOf({ ...issuer, PUBLIC_URL, DEMO: 'on' })).toEqual(['PUBLIC_URL'])
    expect(load({ ...issuer, PUBLIC_URL }).config.http.publicUrl).toBe(PUBLIC_URL)
    for (const good of ['https://mcp.example.com', 'http://localhost:1', 'http://[::1]:1']) {
      expect(load({ PUBLIC_URL: good }).config.upstream.kind).toBe('demo')
    }
  })
})
