/** UPSTREAM_SERVICE: required and conflicting variables. */

import { expect, test } from 'vitest'
import { faultsOf, load } from './load.ts'

const upstream = {
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_CLIENT_SECRET: 'secret',
  UPSTREAM_API_URL: 'https://api.example.com',
}

test('is none by default', () => {
  expect(load(upstream).config.upstream).not.toHaveProperty('service')
})

test('stores the secrets separately', () => {
  const own = { UPSTREAM_SERVICE_CLIENT_ID: 'robot', UPSTREAM_SERVICE_CLIENT_SECRET: 'CANARY' }
  const env = { ...upstream, UPSTREAM_SERVICE: 'client_credentials', ...own }
  const { config, secrets } = load(env)
  expect(config.upstream).toMatchObject({
    service: { kind: 'client_credentials', clientId: 'robot', scopes: [] },
  })
  expect(secrets.upstreamServiceClientSecret).toBe('CANARY')
  expect(JSON.stringify({ config, secrets })).not.toContain('CANARY')
})

test('each upstream has its own service account', () => {
  const env = { ...upstream, UPSTREAMS: 'crm', UPSTREAM_CRM_API_URL: 'https://crm.example.com' }
  const crm = {
    ...{ UPSTREAM_CRM_AUTH: 'key', UPSTREAM_CRM_KEY_CHECK: '/me' },
    ...{ UPSTREAM_CRM_SERVICE: 'api_key', UPSTREAM_CRM_SERVICE_KEY: 'k' },
  }
  const { config, secrets } = load({ ...env, ...crm })
  expect(config.furtherUpstreams).toMatchObject([{ service: { kind: 'api_key' } }])
  expect(secrets.furtherUpstreams.get('crm')?.serviceKey).toBe('k')
  expect(config.upstream).not.toHaveProperty('service')
})

const byToken = { UPSTREAM_SERVICE: 'client_credentials' }
test.each<[string[], Record<string, string>]>([
  [['UPSTREAM_SERVICE_KEY'], { ...upstream, UPSTREAM_SERVICE: 'api_key' }],
  [['UPSTREAM_SERVICE_KEY'], { ...upstream, ...byToken, UPSTREAM_SERVICE_KEY: 'k' }],
  [['UPSTREAM_SERVICE_SCOPES'], { ...upstream, UPSTREAM_SERVICE_SCOPES: 'read' }],
  [
    ['UPSTREAM_SERVICE_CLIENT_SECRET'],
    { ...upstream, ...byToken, UPSTREAM_SERVICE_CLIENT_ID: 'r' },
  ],
  [['UPSTREAM_CLIENT_SECRET'], { ...upstream, ...byToken, UPSTREAM_CLIENT_SECRET: '' }],
  [
    ['UPSTREAM_SERVICE'],
    {
      ...{ UPSTREAM_AUTH: 'none', UPSTREAM_API_URL: 'https://api.example.com' },
      ...{ UPSTREAM_SERVICE: 'api_key', UPSTREAM_API_KEY: 'k' },
    },
  ],
  [
    ['UPSTREAM_ISSUER', 'UPSTREAM_CLIENT_ID', 'UPSTREAM_API_URL'],
    { UPSTREAM_SERVICE: 'api_key', UPSTREAM_SERVICE_KEY: 'k' },
  ],
])('faults: %j', (names, env) => {
  expect(faultsOf(env).sort()).toEqual([...names].sort())
})
