/** Clients that register for an authentication method that this server lacks get another one. */

import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { assertionBy, JWT_BEARER } from '../support/client-assertion.ts'
import { createOAuthClient, postForm, REDIRECT_URI, register } from '../support/oauth-client.ts'
import { start } from './authorization-apps.ts'

const METHODS = 'token_endpoint_auth_methods_supported'

describe('a client that registers', () => {
  test.each([
    ['private_key_jwt', undefined, 'none'],
    ['private_key_jwt', ['private_key_jwt', 'none'], 'none'],
    ['private_key_jwt', ['private_key_jwt', 'client_secret_basic'], 'none'],
    ['tls_client_auth', undefined, 'none'],
    [undefined, ['none'], 'none'],
    ['none', ['none', 'private_key_jwt'], 'none'],
    ['client_secret_jwt', undefined, 'client_secret_basic'],
    ['made_up', undefined, 'client_secret_basic'],
    [null, undefined, 'client_secret_basic'],
    ['client_secret_jwt', ['client_secret_jwt', 'client_secret_post'], 'client_secret_post'],
    ['client_secret_post', ['none', 'client_secret_post'], 'client_secret_post'],
  ])('for %s, of %j, gets the method %s, and can use it', async (named, listed, method) => {
    const app = await start()
    const client = await createOAuthClient(app.url, {
      metadata: {
        token_endpoint_auth_method: named,
        [METHODS]: listed,
        token_endpoint_auth_signing_alg: 'RS256',
        jwks_uri: 'https://client.example/jwks.json',
        grant_types: ['authorization_code', 'refresh_token', JWT_BEARER],
        response_types: ['code', 'code id_token'],
        response_modes: ['query', 'form_post.jwt'],
      },
    })
    expect(client.registration).toMatchObject({
      token_endpoint_auth_method: method,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    })
    expect('client_secret' in client.registration).toBe(method !== 'none')
    const tokens = await client.connect()
    expect(await client.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
  })

  test.each([[7], [['none']], [{}]])('with %j as its method is refused', async (method) => {
    const app = await start()
    const { status, body } = await register(app.url, { token_endpoint_auth_method: method })
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_client_metadata' })
  })

  test('with a secret cannot authenticate with an assertion', async () => {
    const app = await start()
    const metadata = { token_endpoint_auth_method: 'client_secret_post' }
    const client = await createOAuthClient(app.url, { metadata })
    const { code, verifier } = await client.authorize()
    const request = {
      grant_type: 'authorization_code',
      redirect_uri: REDIRECT_URI,
      ...{ code, code_verifier: verifier },
      ...assertionBy(client.id, app.url),
    }
    for (const client_id of [client.id, undefined]) {
      const refused = await postForm(`${app.url}/token`, { ...request, client_id })
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    }
    expect(await client.exchange({ code, verifier })).toMatchObject({ status: 200 })
  })
})

test('a configured client with several methods prevents the start', async () => {
  const clients = [
    {
      client_id: 'machine',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://client.example/jwks.json',
      [METHODS]: ['none', 'private_key_jwt'],
    },
  ]
  const starting = start({ env: { OAUTH_CLIENTS: JSON.stringify(clients) } })
  await expect(starting).rejects.toBeInstanceOf(ConfigError)
})

test('what is not verified is not advertised', async () => {
  const app = await start()
  const response = await fetch(`${app.url}/.well-known/oauth-authorization-server`)
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({
    token_endpoint_auth_methods_supported: [
      ...['none', 'client_secret_basic', 'client_secret_post'],
      'private_key_jwt',
    ],
  })
  expect(text).not.toContain('client_secret_jwt')
  expect(text).not.toContain('HS256')
})
