/** Metadata documents of real clients: a preferred method is not a required one. */

import { describe, expect, test } from 'vitest'
import { JWT_BEARER } from '../support/client-assertion.ts'
import { startMetadataClient } from '../support/metadata-client.ts'
import { REDIRECT_URI } from '../support/oauth-client.ts'

/** As it was published in August 2026, with another redirect URI. */
const chatGpt = (client_id: string) => ({
  client_id,
  client_uri: 'https://chatgpt.com/',
  redirect_uris: [REDIRECT_URI],
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  client_name: 'ChatGPT',
  token_endpoint_auth_signing_alg: 'RS256',
  jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
})

const METHODS = 'token_endpoint_auth_methods_supported'

describe("ChatGPT's document", () => {
  test.each([
    ['with both methods', { [METHODS]: ['none', 'private_key_jwt'] }],
    ['with both methods, in the other order', { [METHODS]: ['private_key_jwt', 'none'] }],
  ])('%s is a public client, for which only the document is fetched', async (_what, more) => {
    const { host, client } = await startMetadataClient((id) => ({ ...chatGpt(id), ...more }))
    const plain = await client.connect()
    const refreshed = await client.refresh(plain.refresh_token)
    expect(refreshed).toMatchObject({ status: 200 })
    expect(await client.revoke(String(refreshed.body.refresh_token))).toMatchObject({ status: 200 })
    expect(host.seen.map(({ url: path }) => path)).toEqual(['/client.json'])
  })

  test('still needs PKCE, its own redirect URI and its own code', async () => {
    const { client } = await startMetadataClient((id) => ({
      ...{ ...chatGpt(id), [METHODS]: ['none', 'private_key_jwt'] },
    }))
    const { code } = await client.authorize()
    const other = await client.authorize()
    const refused = await client.exchange({ code, verifier: other.verifier })
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    const { page } = await client.openConsent({ redirect_uri: 'https://evil.example/callback' })
    expect(page.status).toBe(400)
    const unproven = await client.openConsent({
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    expect(unproven.page.text).not.toMatch(/<h1>Authorize /)
  })

  test.each([
    ['that is not a JWT', 'garbage'],
    ['without a subject', 'e30.e30.'],
  ])('an assertion %s identifies no client', async (_what, client_assertion) => {
    const { client } = await startMetadataClient(chatGpt)
    const params = { client_assertion_type: JWT_BEARER, client_assertion, client_id: undefined }
    const refused = await client.exchange(await client.authorize(), params)
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})

describe('a document', () => {
  test.each([
    ['with an unknown method', { token_endpoint_auth_method: 'made_up' }],
    ['with a certificate', { token_endpoint_auth_method: 'tls_client_auth' }],
    [
      'with a secret as its choice and none listed',
      {
        token_endpoint_auth_method: 'client_secret_post',
        [METHODS]: ['client_secret_post', 'none'],
      },
    ],
    ['with nothing listed', { [METHODS]: [] }],
    ['with a list of another type', { [METHODS]: 'none' }],
    [
      'of Claude, with an algorithm',
      {
        token_endpoint_auth_method: 'none',
        token_endpoint_auth_signing_alg: 'RS256',
      },
    ],
    ['with keys twice', { jwks: { keys: [{ kty: 'oct', k: 'x' }] }, jwks_uri: 'https://[::1]/' }],
    ['with a secret that never ends', { client_secret_expires_at: 0 }],
    [
      'with nulls',
      {
        token_endpoint_auth_method: null,
        logo_uri: null,
        client_uri: '',
        jwks_uri: null,
        contacts: null,
        client_secret: null,
      },
    ],
    [
      'with other grants',
      {
        grant_types: [
          'authorization_code',
          'urn:ietf:params:oauth:grant-type:jwt-bearer',
          'implicit',
          null,
        ],
      },
    ],
    [
      'with other response types',
      {
        response_types: ['code', 'token', 'code id_token'],
        response_modes: ['query', 'web_message'],
      },
    ],
    ['with empty lists', { grant_types: [], response_types: [] }],
    [
      'with unknown members',
      {
        scope: 'everything openid',
        subject_type: 'pairwise',
        software_statement: 'x.y.z',
        dpop_bound_access_tokens: true,
        authorization_details_types: ['x'],
      },
    ],
  ])('%s is accepted', async (_what, more) => {
    const { client } = await startMetadataClient((client_id) => ({
      client_id,
      redirect_uris: [REDIRECT_URI],
      ...more,
    }))
    expect(await client.connect()).toMatchObject({ token_type: 'Bearer' })
  })

  test.each([
    ['shared secrets alone', { token_endpoint_auth_method: 'client_secret_basic' }],
    [
      'a list of shared secrets',
      { token_endpoint_auth_method: null, [METHODS]: ['client_secret_jwt', 'client_secret_post'] },
    ],
    ['a secret', { client_secret: 'x', [METHODS]: ['none'] }],
    ['a method of another type', { token_endpoint_auth_method: ['none'] }],
    ['grants of machines alone', { grant_types: ['client_credentials'] }],
    ['response types without a code', { response_types: ['token'] }],
    ['keys, and an address that is not allowed', { redirect_uris: ['http://evil.example/'] }],
  ])('with %s is refused', async (_what, more) => {
    const { client } = await startMetadataClient((id) => ({ ...chatGpt(id), ...more }))
    const { page } = await client.openConsent()
    expect([page.url.pathname, page.status]).toEqual(['/authorize', 400])
  })
})
