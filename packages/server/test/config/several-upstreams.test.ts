/** UPSTREAMS: further upstreams, each with all variables under its own name. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load, production, refusal } from './load.ts'

const GITHUB = {
  UPSTREAM_GITHUB_PRESET: 'github',
  UPSTREAM_GITHUB_CLIENT_ID: 'gh',
  UPSTREAM_GITHUB_CLIENT_SECRET: 'github-canary',
}
const ORDERS = {
  UPSTREAM_ORDERS_AUTH: 'none',
  UPSTREAM_ORDERS_API_URL: 'https://orders.example.com',
  UPSTREAM_ORDERS_API_KEY: 'orders-canary',
}
const TICKETS = {
  UPSTREAM_TICKETS_AUTH: 'key',
  UPSTREAM_TICKETS_API_URL: 'https://tickets.example.com/v2',
  UPSTREAM_TICKETS_KEY_CHECK: '/me',
}
const FIRST = {
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com',
}

const namesOf = (env: Record<string, string>) => {
  const { upstream, furtherUpstreams = [] } = load(env).config
  return [upstream, ...furtherUpstreams].map((each) => ('name' in each ? each.name : each.kind))
}

describe('UPSTREAMS', () => {
  it('adds upstreams to the one without a name, which stays the first', () => {
    const env = {
      ...FIRST,
      UPSTREAM_CLIENT_SECRET: 'first-canary',
      UPSTREAMS: 'github,orders,tickets',
    }
    const { config, secrets } = load({ ...env, ...GITHUB, ...ORDERS, ...TICKETS })
    expect(config.upstream).toMatchObject({ kind: 'configured', name: 'upstream', clientId: 'mcp' })
    expect(config.furtherUpstreams).toMatchObject([
      {
        kind: 'configured',
        name: 'github',
        clientId: 'gh',
        clientAuth: 'post',
        provider: { tokenEndpoint: 'https://github.com/login/oauth/access_token' },
        api: { baseUrl: 'https://api.github.com' },
      },
      { kind: 'operator', name: 'orders', api: { baseUrl: 'https://orders.example.com' } },
      {
        kind: 'key',
        name: 'tickets',
        checkPath: '/me',
        keyHeader: { name: 'authorization', template: 'Bearer {key}' },
      },
    ])
    expect(secrets.upstreamClientSecret).toBe('first-canary')
    expect(secrets.furtherUpstreams.get('github')?.clientSecret).toBe('github-canary')
    expect(secrets.furtherUpstreams.get('orders')?.apiKey).toBe('orders-canary')
    expect(JSON.stringify([config, secrets])).not.toContain('canary')
  })

  it('makes the first of the list the first upstream if all have names', () => {
    const { config, secrets } = load({ UPSTREAMS: 'github,tickets', ...GITHUB, ...TICKETS })
    expect(config.upstream).toMatchObject({ name: 'github' })
    expect(config.furtherUpstreams).toMatchObject([{ name: 'tickets' }])
    expect(secrets.upstreamClientSecret).toBe('github-canary')
  })

  it('keeps the demo as the first if it is enabled', () => {
    expect(namesOf({ DEMO: 'on', UPSTREAMS: 'github', ...GITHUB })).toEqual(['demo', 'github'])
  })

  it('is enough in production', () => {
    const {
      UPSTREAM_ISSUER: _i,
      UPSTREAM_CLIENT_ID: _c,
      UPSTREAM_API_URL: _a,
      ...rest
    } = production
    expect(namesOf({ ...rest, UPSTREAMS: 'github', ...GITHUB })).toEqual(['github'])
    expect(faultsOf({ ...rest, UPSTREAMS: 'github' })).toEqual([
      'UPSTREAM_GITHUB_ISSUER',
      'UPSTREAM_GITHUB_CLIENT_ID',
      'UPSTREAM_GITHUB_API_URL',
    ])
  })

  it('writes a hyphen as _ in variables', () => {
    const env = { UPSTREAM_MY_API_AUTH: 'none', UPSTREAM_MY_API_API_URL: 'https://x.example.com' }
    expect(namesOf({ UPSTREAMS: 'my-api', ...env })).toEqual(['my-api'])
  })

  it('has an allow-list, client authentication and parameters for each', () => {
    const env = {
      ...FIRST,
      UPSTREAMS: 'staff',
      UPSTREAM_STAFF_ISSUER: 'https://staff.example.com',
      UPSTREAM_STAFF_CLIENT_ID: 's',
      UPSTREAM_STAFF_CLIENT_SECRET: 's',
      UPSTREAM_STAFF_CLIENT_AUTH: 'post',
      UPSTREAM_STAFF_ALLOW: '@example.com',
      UPSTREAM_STAFF_TOKEN_PARAMETERS: 'audience=x',
      UPSTREAM_STAFF_API_URL: 'https://staff-api.example.com',
      UPSTREAM_STAFF_API_TIMEOUT: '3',
    }
    const { furtherUpstreams, signIn } = load(env).config
    expect(signIn.allow).toBeUndefined()
    expect(furtherUpstreams).toMatchObject([
      {
        clientAuth: 'post',
        allow: [{ kind: 'domain' }],
        tokenParameters: { audience: 'x' },
        scopes: ['openid', 'offline_access', 'email'],
        api: { timeoutMs: 3000 },
      },
    ])
  })
})

describe('prevents the start, with the name of the variable:', () => {
  const all = { ...FIRST, UPSTREAMS: 'github,orders,tickets', ...GITHUB, ...ORDERS, ...TICKETS }
  it.each<[string, Record<string, string>]>([
    ['UPSTREAMS', { UPSTREAMS: 'github,github,orders,tickets' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,get' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,then' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,constructor' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,client' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,1st' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,a b' }],
    ['UPSTREAMS', { UPSTREAMS: 'github,orders,tickets,__proto__' }],
    ['UPSTREAM_NAME', { UPSTREAM_NAME: 'github' }],
    ['UPSTREAM_GITHUB_CLIENT_SECRET', { UPSTREAM_GITHUB_CLIENT_SECRET: '' }],
    ['UPSTREAM_GITHUB_PRESET', { UPSTREAM_GITHUB_PRESET: 'gitub' }],
    ['UPSTREAM_GITHUB_ISSUER', { UPSTREAM_GITHUB_ISSUER: 'https://github.com' }],
    ['UPSTREAM_GITHUB_KEY_CHECK', { UPSTREAM_GITHUB_KEY_CHECK: '/user' }],
    ['UPSTREAM_GITHUB_NAME', { UPSTREAM_GITHUB_NAME: 'x' }],
    ['UPSTREAM_GITHUB_CLIENTID', { UPSTREAM_GITHUB_CLIENTID: 'x' }],
    ['UPSTREAM_JIRA_API_URL', { UPSTREAM_JIRA_API_URL: 'https://jira.example.com' }],
    ['UPSTREAM_ORDERS_API_URL', { UPSTREAM_ORDERS_API_URL: '' }],
    ['UPSTREAM_ORDERS_API_URL', { UPSTREAM_ORDERS_API_URL: 'orders.example.com' }],
    ['UPSTREAM_ORDERS_ISSUER', { UPSTREAM_ORDERS_ISSUER: 'https://id.example.com' }],
    ['UPSTREAM_ORDERS_AUTH', { UPSTREAM_ORDERS_AUTH: 'nobody' }],
    ['UPSTREAM_TICKETS_PRESET', { UPSTREAM_TICKETS_PRESET: 'github' }],
    ['UPSTREAM_TICKETS_ALLOW', { UPSTREAM_TICKETS_ALLOW: '@example.com' }],
    ['UPSTREAM_TICKETS_CLIENT_ID', { UPSTREAM_TICKETS_CLIENT_ID: 'x' }],
    ['UPSTREAM_TICKETS_KEY_CHECK', { UPSTREAM_TICKETS_KEY_CHECK: '' }],
    ['UPSTREAM_TICKETS_KEY_CHECK', { UPSTREAM_TICKETS_KEY_CHECK: '//evil.example' }],
    ['UPSTREAM_TICKETS_KEY_CHECK', { UPSTREAM_TICKETS_KEY_CHECK: '/a/../b' }],
    ['UPSTREAM_TICKETS_KEY_CHECK', { UPSTREAM_TICKETS_KEY_CHECK: '/me?x=1' }],
    ['UPSTREAM_TICKETS_KEY_HEADER', { UPSTREAM_TICKETS_KEY_HEADER: 'Authorization: Bearer' }],
    ['UPSTREAM_TICKETS_KEY_HEADER', { UPSTREAM_TICKETS_KEY_HEADER: 'X-A: {key}{key}' }],
    ['UPSTREAM_TICKETS_KEY_HEADER', { UPSTREAM_TICKETS_KEY_HEADER: 'X-A: {key}\r\nX-B: 1' }],
    ['UPSTREAM_TICKETS_KEY_HEADER', { UPSTREAM_TICKETS_KEY_HEADER: 'Host: {key}' }],
    [
      'UPSTREAM_TICKETS_API_KEY_HEADER',
      { UPSTREAM_TICKETS_API_KEY: 'x', UPSTREAM_TICKETS_API_KEY_HEADER: 'Authorization' },
    ],
    ['UPSTREAM_GITHUB_AUTH', { UPSTREAM_GITHUB_AUTH: 'OAuth' }],
  ])('%s of %j', (name, change) => {
    expect(() => load(all)).not.toThrow()
    expect(faultsOf({ ...all, ...change })).toContain(name)
  })

  it('a variable of an upstream that is not listed', () => {
    const { faults } = refusal({ UPSTREAM_GITHUB_CLIENT_ID: 'x' })
    expect(faults).toEqual([
      {
        name: 'UPSTREAM_GITHUB_CLIENT_ID',
        message: 'is of an upstream github, which UPSTREAMS does not name',
      },
    ])
    const files = { '.env': 'UPSTREAM_GITHUB_CLIENT_ID=x' }
    expect(faultsOf({}, { files })).toEqual(['UPSTREAM_GITHUB_CLIENT_ID'])
  })

  it('a name with the same variables as another', () => {
    const { message } = refusal({ UPSTREAMS: 'client' })
    expect(message).toContain('UPSTREAM_CLIENT_AUTH')
  })

  it('a first upstream without sign-in before one that has it', () => {
    expect(faultsOf({ UPSTREAMS: 'orders,github', ...ORDERS, ...GITHUB })).toEqual(['UPSTREAMS'])
  })

  it('LOGIN=at-authorize and MCP_AUTH=required without an upstream that identifies people', () => {
    const tickets = { UPSTREAMS: 'tickets', ...TICKETS }
    expect(faultsOf({ ...tickets, LOGIN: 'at-authorize' })).toEqual(['LOGIN'])
    expect(faultsOf({ UPSTREAMS: 'orders', ...ORDERS, MCP_AUTH: 'required' })).toEqual(['MCP_AUTH'])
  })

  it('with messages that name the variables to set', () => {
    const { message } = refusal({
      UPSTREAMS: 'github',
      UPSTREAM_GITHUB_API_URL: 'https://x.example',
    })
    expect(message).toContain(
      'UPSTREAM_GITHUB_ISSUER is missing: UPSTREAMS names this upstream (or UPSTREAM_GITHUB_AUTHORIZATION_ENDPOINT',
    )
  })
})

describe('the first upstream', () => {
  it('may be an API with keys of people, or with a key of the operator', () => {
    const first = { UPSTREAM_API_URL: 'https://api.example.com', UPSTREAM_AUTH: 'none' }
    expect(load(first).config.upstream).toMatchObject({ kind: 'operator', name: 'upstream' })
    const keys = { ...first, UPSTREAM_AUTH: 'key', UPSTREAM_KEY_CHECK: '/me' }
    expect(load(keys).config.upstream).toMatchObject({ kind: 'key', checkPath: '/me' })
  })

  it('may have a header that contains more than the key', () => {
    const { upstream } = load({
      UPSTREAM_AUTH: 'none',
      UPSTREAM_API_URL: 'https://api.example.com',
      UPSTREAM_API_KEY: 'k',
      UPSTREAM_API_KEY_HEADER: 'Authorization: Token {key}',
    }).config
    expect(upstream).toMatchObject({
      api: { apiKeyHeader: 'authorization', apiKeyTemplate: 'Token {key}' },
    })
  })
})
