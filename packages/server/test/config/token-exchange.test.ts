/** Token exchange: missing and conflicting variables prevent the start. */

import { expect, test } from 'vitest'
import { ENTRA, RFC8693 } from '../support/on-behalf.ts'
import { load, refusal } from './load.ts'

const complete = {
  OAUTH_ISSUER: 'https://id.example.com',
  UPSTREAM_ISSUER: 'https://id.example.com/',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_CLIENT_SECRET: 'secret',
  UPSTREAM_API_URL: 'https://api.example.com',
  ...RFC8693,
}

/** The complete environment with these changes; undefined removes a variable. */
function changed(changes: Record<string, string | undefined>): Record<string, string> {
  const all = Object.entries({ ...complete, ...changes })
  return Object.fromEntries(all.flatMap(([name, value]) => (value ? [[name, value]] : [])))
}

test('is part of its upstream, the first or another', () => {
  const expected = { kind: 'rfc8693', audience: 'api://bank' }
  expect(load(complete).config.upstream).toMatchObject({ tokenExchange: expected })
  const named = Object.entries(complete).map(([name, value]) => [
    name.replace('UPSTREAM_', 'UPSTREAM_BANK_'),
    value,
  ])
  const { config } = load({ UPSTREAMS: 'bank', ...Object.fromEntries(named) })
  expect(config.upstream).toMatchObject({ name: 'bank', tokenExchange: expected })
  expect(load(changed({ ...ENTRA, UPSTREAM_AUDIENCE: undefined })).config.upstream).toMatchObject({
    tokenExchange: { kind: 'entra-obo' },
  })
})

const ELSEWHERE = 'token_exchange_elsewhere'

test.each<[string, Record<string, string | undefined>, string]>([
  ['no issuer', { OAUTH_ISSUER: undefined }, 'UPSTREAM_TOKEN_EXCHANGE requires OAUTH_ISSUER'],
  [
    'no secret',
    { UPSTREAM_CLIENT_SECRET: undefined },
    'UPSTREAM_TOKEN_EXCHANGE requires UPSTREAM_',
  ],
  ['an allow list', { UPSTREAM_ALLOW: '@example.com' }, 'UPSTREAM_TOKEN_EXCHANGE conflicts with'],
  [
    'tokens for nobody',
    { OAUTH_CLIENTS_WITHOUT_AUDIENCE: 'cognito' },
    'UPSTREAM_TOKEN_EXCHANGE conflicts with OAUTH_CLIENTS_WITHOUT_AUDIENCE',
  ],
  [
    'an audience without it',
    { UPSTREAM_TOKEN_EXCHANGE: undefined },
    'UPSTREAM_AUDIENCE requires UPSTREAM_TOKEN_EXCHANGE=rfc8693',
  ],
  [
    'an audience for Entra',
    { UPSTREAM_TOKEN_EXCHANGE: 'entra-obo' },
    'UPSTREAM_AUDIENCE requires UPSTREAM_TOKEN_EXCHANGE=rfc8693',
  ],
  [
    'no scope for Entra',
    { ...ENTRA, UPSTREAM_AUDIENCE: undefined, UPSTREAM_SCOPES: undefined },
    'UPSTREAM_SCOPES must name scopes of the API',
  ],
  ['an unknown dialect', { UPSTREAM_TOKEN_EXCHANGE: 'saml' }, 'UPSTREAM_TOKEN_EXCHANGE '],
  ['keys of people', { UPSTREAM_AUTH: 'key' }, 'UPSTREAM_TOKEN_EXCHANGE conflicts with'],
  [
    'its own parameters',
    { UPSTREAM_TOKEN_PARAMETERS: 'subject_token=x' },
    'UPSTREAM_TOKEN_PARAMETERS ',
  ],
])('%s: prevents the start, with the name of the variable', (_what, env, fault) => {
  expect(refusal(changed(env)).message).toContain(fault)
})

test('an exchange at another server than the issuer is a warning', () => {
  const codesOf = (env: Record<string, string>) =>
    load(changed(env)).warnings.map(({ code }) => code)
  expect(codesOf({ UPSTREAM_ISSUER: 'https://sts.example.net' })).toContain(ELSEWHERE)
  expect(codesOf({})).not.toContain(ELSEWHERE)
})
