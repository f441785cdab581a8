/** A client that signs assertions, with its metadata document and keys on an https host. */

import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { JWT_BEARER } from './client-assertion.ts'
import { type HttpsServer, startHttpsServer } from './https-server.ts'
import { REDIRECT_URI } from './oauth-client.ts'

type Claims = Readonly<Record<string, unknown>>

export interface SigningClient {
  readonly host: HttpsServer
  /** The URL of its document. */
  readonly id: string
  /** The response at its `jwks_uri`; undefined for a 500. */
  published: readonly JWK[] | undefined
  readonly publicJwk: JWK
  /** The number of requests for its document and its keys. */
  requestCount(path: '/client.json' | '/jwks.json'): number
  /** Claims and header members that add to or override the usual ones. */
  assertion(audience: string, claims?: Claims, header?: Claims): Promise<string>
  /** The parameters of a token request with a new assertion. */
  signed(audience: string, claims?: Claims, header?: Claims): Promise<Record<string, string>>
  /** Rotates the key: publishes and uses a new one. */
  rotate(): Promise<void>
}

export type KeyAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA'

let keys = 0
async function newKey(alg: KeyAlgorithm) {
  keys += 1
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const kid = `key-${keys}`
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** `document` has members that add to or override those of ChatGPT's document. */
export async function startSigningClient(
  document: (keysUrl: string, keys: readonly JWK[]) => Claims = () => ({}),
  alg: KeyAlgorithm = 'RS256',
): Promise<SigningClient> {
  let key = await newKey(alg)
  const host = await startHttpsServer((res, { url = '' }) => {
    const body =
      url === '/jwks.json' ? client.published && { keys: client.published } : metadata(url)
    res.writeHead(body === undefined ? 500 : 200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(body ?? {}))
  })
  const metadata = (path: string) => ({
    client_id: `${host.origin}${path}`,
    client_uri: 'https://chatgpt.com/',
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'ChatGPT',
    token_endpoint_auth_signing_alg: alg,
    jwks_uri: `${host.origin}/jwks.json`,
    ...document(`${host.origin}/jwks.json`, client.published ?? []),
  })
  async function assertion(aud: string, claims: Claims = {}, header: Claims = {}) {
    const id = client.id
    const iat = Math.floor(Date.now() / 1000)
    const jti = crypto.randomUUID()
    const all = { iss: id, sub: id, aud, iat, exp: iat + 60, jti, ...claims }
    return await new SignJWT(all)
      .setProtectedHeader({ alg, kid: key.kid, typ: 'JWT', ...header })
      .sign(key.privateKey)
  }
  const client: SigningClient = {
    host,
    id: `${host.origin}/client.json`,
    published: [key.jwk],
    publicJwk: key.jwk,
    requestCount: (path) => host.seen.filter(({ url }) => url === path).length,
    assertion,
    async signed(aud, claims, header) {
      const client_assertion = await assertion(aud, claims, header)
      return { client_assertion_type: JWT_BEARER, client_assertion }
    },
    async rotate() {
      key = await newKey(alg)
      client.published = [key.jwk]
    },
  }
  return client
}
