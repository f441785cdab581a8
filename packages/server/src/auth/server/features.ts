/** The enabled features of `oidc-provider`, and their policies. */

import { type Configuration, errors } from 'oidc-provider'
import { createId } from '../../crypto/random-id.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { storageOf } from './request-storage.ts'
import type { ScopeRules } from './requested-scopes.ts'
import type { ResourceNames } from './resource-names.ts'
import type { SigningKey } from './signing.ts'
import { forProvider } from './unavailable.ts'

const OFF = { enabled: false }

export interface FeatureParts {
  readonly signingKey: SigningKey
  readonly resources: ResourceNames
  readonly scopes: ScopeRules
}

export function providerFeatures(
  { accessTokenTtl, clients }: AuthorizationServerOptions,
  { signing, sessions, documents }: AuthorizationServerDeps,
  { resources, scopes, signingKey }: FeatureParts,
): Configuration['features'] {
  const confidential = clients.filter((client) => client.client_secret !== undefined)
  const resourceServers = new Set(confidential.map(({ client_id }) => client_id))

  function resourceServer(resource: string) {
    if (!resources.all.includes(resource)) throw new errors.InvalidTarget()
    const { algorithm: alg, secret } = signing
    const sign = secret === undefined ? { alg, kid: signingKey.kid } : { alg, key: secret }
    return {
      audience: resource,
      scope: [...scopes.known].join(' '),
      accessTokenFormat: 'jwt' as const,
      accessTokenTTL: accessTokenTtl,
      jwt: { sign } as never,
    }
  }

  /** A refresh token can recreate an idle session, an access token cannot; neither an ended one. */
  async function isAlive(token: { readonly kind: string }): Promise<boolean> {
    const id = sessionOf(token)
    return token.kind === 'AccessToken' ? sessions.validate(id) : !(await sessions.hasEnded(id))
  }

  return {
    devInteractions: OFF,
    dPoP: OFF,
    pushedAuthorizationRequests: OFF,
    rpInitiatedLogout: OFF,
    userinfo: OFF,
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      allowFetch: (ctx, clientId) =>
        forProvider(() => documents.allowFetch(ctx, clientId, storageOf(ctx))),
    },
    registration: {
      enabled: true,
      issueRegistrationAccessToken: false,
      idFactory: () => createId('cli'),
    },
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => client.clientId === token.clientId,
    },
    introspection: {
      enabled: true,
      // Dynamic registration is open: only confidential pre-registered clients may introspect
      // tokens of other clients.
      allowedPolicy: async (_ctx, client, token) =>
        (client.clientId === token.clientId || resourceServers.has(client.clientId)) &&
        (await forProvider(() => isAlive(token))),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async (_ctx, _client, oneOf) => oneOf?.[0] ?? resources.canonical,
      getResourceServerInfo: async (_ctx, resource) => resourceServer(resource),
    },
  }
}

function sessionOf(token: object): string {
  return 'accountId' in token ? String(token.accountId) : ''
}
