/** SSRF by URLs inside a client's metadata document: none of them is fetched. */

import { Provider } from 'oidc-provider'
import { describe, expect, it } from 'vitest'
import { createDocumentFetch, type DocumentFetch } from '../../src/auth/document-fetch.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startHttpsServer } from '../support/https-server.ts'

describe('the addresses inside a document', () => {
  it('are never fetched, at authorization or with an assertion for the token endpoint', async () => {
    const server = await startHttpsServer((res, { url, headers: { host } }) => {
      const inside = (path: string) => `https://${host}/inside/${path}`
      const uris = ['jwks_uri', 'logo_uri', 'client_uri', 'policy_uri', 'tos_uri']
      res.end(
        JSON.stringify({
          client_id: `https://${host}${url}`,
          redirect_uris: ['https://client.example/callback'],
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          ...Object.fromEntries(uris.map((name) => [name, inside(name)])),
        }),
      )
    })
    const documents = createDocumentFetch(
      { store: createMemoryStore(), now: Date.now },
      { allowLoopback: true, ca: server.ca },
    )
    const clientId = `${server.origin}/client.json`
    const { url, close } = await startProvider(documents)
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: 'https://client.example/callback',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    const authorized = await fetch(`${url}/auth?${query}`, { redirect: 'manual' })
    expect(authorized.status).toBe(303)
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: 'http://localhost',
      jti: '1',
      exp: Date.now() / 1000 + 60,
    }
    const token = await fetch(`${url}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: 'https://client.example/callback',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${encode({ alg: 'ES256', kid: 'x' })}.${encode(claims)}.AAAA`,
      }),
    })
    expect(token.status).toBeGreaterThanOrEqual(400)
    expect(server.seen.map((request) => request.url)).toEqual(['/client.json'])
    close()
    await server.close()
  })
})

/** The library that calls the fetch, as far as this needs it. */
async function startProvider(documents: DocumentFetch) {
  const provider = new Provider('http://localhost', {
    fetch: documents.fetch,
    features: {
      devInteractions: { enabled: true },
      clientIdMetadataDocument: {
        enabled: true,
        ack: 'draft-02',
        allowFetch: documents.allowFetch,
      },
    },
    clientAuthMethods: ['none', 'private_key_jwt'],
  })
  const server = provider.listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return { url: `http://localhost:${port}`, close: () => server.close() }
}
