/** An external authorization server: a second `oidc-provider`, with JWT access tokens (RFC 9068). */

import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { type Configuration, Provider } from 'oidc-provider'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { Entries } from '../../src/oidc/entries.ts'
import { createStoreAdapter } from '../../src/oidc/store-adapter.ts'
import { createMemoryStore } from '../../src/store/memory.ts'

export interface TokenOptions {
  readonly subject?: string
  readonly client?: string
  /** Separated by spaces. */
  readonly scope?: string
  readonly ttlSeconds?: number
}

export interface ExternalIssuer {
  readonly url: string
  /** The requested paths. */
  readonly requestedPaths: readonly string[]
  /** A token as the provider itself issues it, for one resource. */
  token(resource: string, options?: TokenOptions): Promise<string>
  /** An arbitrary token, signed with its key. */
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>
  /** The claims of a valid token for the resource. */
  claims(resource: string): JWTPayload
  /** Metadata fields that override those of the provider; undefined removes a field. */
  metadataIs(fields: object): void
  /** Overrides the response at a path. */
  answerAt(path: string, answer: RequestListener): void
  /** Rotates the key: signs with a new one, and publishes only that. */
  rotate(): Promise<void>
  /** Stops listening until it is restored. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
  stop(): Promise<void>
}

const CLIENTS = ['client-a', 'client-b']
const SCOPES = 'mcp service:read'

/** Starts it on a free port; `path` is the path of its issuer, such as `/realms/one`. */
export async function startExternalIssuer(path = ''): Promise<ExternalIssuer> {
  const requestedPaths: string[] = []
  const answers = new Map<string, RequestListener>()
  let handle: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => {
    requestedPaths.push(request.url ?? '')
    const own = answers.get(request.url ?? '')
    if (own !== undefined) own(request, response)
    else handle(request, response)
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}${path}`

  let signing = await makeKey()
  let provider = makeProvider()

  function makeProvider(): Provider {
    const made = new Provider(url, configuration(signing.jwk))
    const callback = made.callback()
    handle = (request, response) => {
      // The library expects the path below its mount point.
      request.url = (request.url ?? '').replace(path, '') || '/'
      void callback(request, response)
    }
    return made
  }

  return {
    url,
    requestedPaths,
    async token(
      resource,
      { subject = 'ada', client = 'client-a', scope = SCOPES, ttlSeconds = 600 } = {},
    ) {
      const found = await provider.Client.find(client)
      if (found === undefined) throw new RangeError(`There is no client ${client}`)
      const token = new provider.AccessToken({
        ...{ accountId: subject, client: found, scope, grantId: randomUUID() },
        gty: 'authorization_code',
      })
      const server = { ...resourceServer(resource), accessTokenTTL: ttlSeconds }
      token.resourceServer = new provider.ResourceServer(resource, server)
      return token.save()
    },
    sign: (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: signing.jwk.kid, ...header })
        .sign(signing.key, { crit: { x: true } }),
    claims: (resource) => ({
      ...{ iss: url, aud: resource, sub: 'ada', client_id: 'client-a', scope: SCOPES },
      ...{ jti: randomUUID(), iat: seconds(), exp: seconds() + 600 },
    }),
    metadataIs(fields) {
      const metadata = { issuer: url, jwks_uri: `${url}/jwks`, ...fields }
      for (const name of ['oauth-authorization-server', 'openid-configuration']) {
        answers.set(`/.well-known/${name}${path}`, (_request, response) => {
          response.setHeader('content-type', 'application/json').end(JSON.stringify(metadata))
        })
      }
    },
    answerAt: (at, answer) => void answers.set(path + at, answer),
    async rotate() {
      signing = await makeKey()
      provider = makeProvider()
    },
    goAway: close,
    comeBack: () => listen(port),
    stop: close,
  }
}

/** Unix time. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000)
}

async function makeKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const more = { kid: randomUUID(), alg: 'ES256', use: 'sig' }
  const key: CryptoKey = privateKey
  return { key, jwk: { ...(await exportJWK(privateKey)), ...more }, publicKey }
}

function resourceServer(resource: string) {
  return {
    audience: resource,
    scope: SCOPES,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  } as const
}

function configuration(jwk: object): Configuration {
  return {
    adapter: createStoreAdapter(
      new Entries(
        {
          store: createMemoryStore(),
          keyRing: createKeyRing([Buffer.alloc(32, 7)]),
          now: Date.now,
        },
        { prefix: 'external', longestTtlSeconds: 3600 },
      ),
    ),
    ttl: { AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 600 },
    clients: CLIENTS.map((client_id) => ({
      client_id,
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    })),
    jwks: { keys: [jwk] },
    cookies: { keys: ['of a provider in a test'] },
    scopes: ['openid', ...SCOPES.split(' ')],
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => resourceServer(resource),
      },
    },
  }
}
