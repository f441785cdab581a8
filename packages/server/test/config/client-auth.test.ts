/** UPSTREAM_CLIENT_AUTH and its variables: complete, without conflicts, and secrets not shown. */

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { keyPair } from '../support/key-pair.ts'
import { faultsOf, load, refusal } from './load.ts'

const upstream = {
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com/v1',
}
const pemOf = (type: 'rsa', bits: number) =>
  generateKeyPairSync(type, { modulusLength: bits })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
const ec = keyPair()
const PEM = ec.key.export({ type: 'pkcs8', format: 'pem' }).toString()
const JWK = JSON.stringify({ ...ec.key.export({ format: 'jwk' }), kid: 'from-jwk', alg: 'ES256' })
const RSA = pemOf('rsa', 2048)

const given = (more: Record<string, string>) => ({ ...upstream, ...more })

describe('the method', () => {
  it('is detected by default, and then not in the configuration', () => {
    const { config } = load(given({ UPSTREAM_CLIENT_SECRET: 's' }))
    expect(config.upstream).not.toHaveProperty('clientAuth')
  })

  it.each([
    ['basic', { UPSTREAM_CLIENT_SECRET: 's' }],
    ['basic-raw', { UPSTREAM_CLIENT_SECRET: 's' }],
    ['post', { UPSTREAM_CLIENT_SECRET: 's' }],
    ['private_key_jwt', { UPSTREAM_CLIENT_KEY: PEM }],
    ['private_key_jwt', { UPSTREAM_CLIENT_KEY: PEM, UPSTREAM_CLIENT_CERT: ec.certificate }],
    ['tls', { UPSTREAM_CLIENT_KEY: PEM, UPSTREAM_CLIENT_CERT: ec.certificate }],
    ['none', {}],
  ])('may be %s with its variables', (UPSTREAM_CLIENT_AUTH, more) => {
    const { config } = load(given({ UPSTREAM_CLIENT_AUTH, ...more }))
    expect(config.upstream).toMatchObject({ clientAuth: UPSTREAM_CLIENT_AUTH })
    expect(JSON.stringify(config)).not.toContain('PRIVATE')
  })

  it.each<[string, Record<string, string>, string[]]>([
    ['basic', {}, ['UPSTREAM_CLIENT_SECRET']],
    ['post', {}, ['UPSTREAM_CLIENT_SECRET']],
    ['private_key_jwt', {}, ['UPSTREAM_CLIENT_KEY']],
    ['tls', {}, ['UPSTREAM_CLIENT_CERT', 'UPSTREAM_CLIENT_KEY']],
    [
      'private_key_jwt',
      { UPSTREAM_CLIENT_KEY: PEM, UPSTREAM_CLIENT_SECRET: 's' },
      ['UPSTREAM_CLIENT_SECRET'],
    ],
    ['none', { UPSTREAM_CLIENT_SECRET: 's' }, ['UPSTREAM_CLIENT_SECRET']],
    ['auto', { UPSTREAM_CLIENT_KEY: PEM }, ['UPSTREAM_CLIENT_KEY']],
    [
      'post',
      { UPSTREAM_CLIENT_SECRET: 's', UPSTREAM_CLIENT_KEY_ID: 'k' },
      ['UPSTREAM_CLIENT_KEY_ID'],
    ],
    [
      'tls',
      { UPSTREAM_CLIENT_KEY: RSA, UPSTREAM_CLIENT_CERT: ec.certificate },
      ['UPSTREAM_CLIENT_CERT'],
    ],
    ['client_secret_post', { UPSTREAM_CLIENT_SECRET: 's' }, ['UPSTREAM_CLIENT_AUTH']],
  ])('%s with %j does not start', (UPSTREAM_CLIENT_AUTH, more, faults) => {
    expect(faultsOf(given({ UPSTREAM_CLIENT_AUTH, ...more }))).toEqual(faults)
  })
})

describe('the key', () => {
  const withKey = (UPSTREAM_CLIENT_KEY: string) =>
    given({ UPSTREAM_CLIENT_AUTH: 'private_key_jwt', UPSTREAM_CLIENT_KEY })

  it.each([
    ['PEM', PEM, 'ES256'],
    ['PEM on one line', PEM.replaceAll('\n', '\\n'), 'ES256'],
    ['JWK', JWK, 'ES256'],
    ['RSA', RSA, 'RS256'],
  ])('may be %s', (_form, key, algorithm) => {
    expect(load(withKey(key)).secrets.upstreamClientKey).toMatchObject({ algorithm })
  })

  it('has the id of the JWK, or that of the operator', () => {
    expect(load(withKey(JWK)).config.upstream).toMatchObject({ clientKeyId: 'from-jwk' })
    const more = { ...withKey(JWK), UPSTREAM_CLIENT_KEY_ID: 'mine' }
    expect(load(more).config.upstream).toMatchObject({ clientKeyId: 'mine' })
  })

  it.each([
    ['garbage', 'not a key'],
    ['a public key', JSON.stringify({ ...ec.publicJwk })],
    ['a short RSA key', pemOf('rsa', 1024)],
    ['an algorithm of another key', JSON.stringify({ ...JSON.parse(JWK), alg: 'RS256' })],
    ['a certificate', ec.certificate],
  ])('is refused as %s, without its text', (_what, key) => {
    const error = refusal(withKey(key))
    expect(error.faults.map(({ name }) => name)).toEqual(['UPSTREAM_CLIENT_KEY'])
    expect(error.message).not.toContain(key.slice(0, 40))
  })
})

describe('parameters', () => {
  it('may be empty, which removes one', () => {
    const { config } = load(given({ UPSTREAM_AUTHORIZATION_PARAMETERS: 'prompt=&audience=x' }))
    expect(config.upstream).toMatchObject({
      authorizationParameters: { prompt: '', audience: 'x' },
    })
  })

  it.each([
    'client_id=x',
    'client_secret=x',
    'client_assertion=x',
    'grant_type=password',
    'code=x',
    'refresh_token=x',
    'redirect_uri=https://evil.example',
    'scope=all',
    'resource',
    'a=1&a=2',
  ])('of token requests must not be those of OAuth: %s', (UPSTREAM_TOKEN_PARAMETERS) => {
    expect(faultsOf(given({ UPSTREAM_TOKEN_PARAMETERS }))).toEqual(['UPSTREAM_TOKEN_PARAMETERS'])
  })
})

it('names the issuer, not the URL of its metadata', () => {
  const UPSTREAM_ISSUER = 'https://id.example.com/.well-known/openid-configuration'
  expect(faultsOf(given({ UPSTREAM_ISSUER }))).toEqual(['UPSTREAM_ISSUER'])
})
