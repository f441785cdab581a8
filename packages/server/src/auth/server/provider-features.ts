/** The features of `oidc-provider` that are used, and who may use them. */

import { type AccessToken, type Configuration, errors, type ResourceServer } from 'oidc-provider'
import { createId } from '../../crypto/random-id.ts'
import type { ResourceNames } from '../resources.ts'
import { isOfEarlierSession } from './derived-sessions.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { storageOf } from './request-storage.ts'
import type { ScopeRules } from './requests.ts'
import type { SigningKey } from './signing.ts'
import { forProvider } from './unavailable.ts'

const OFF = { enabled: false }

export interface FeatureParts {
  readonly signingKey: SigningKey
  readonly resources: ResourceNames
  readonly scopes: ScopeRules
}

export function providerFeatures(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  parts: FeatureParts,
): Configuration['features'] {
  const { sessions, documents } = deps
  const { resources } = parts
  const resourceServer = resourceServersOf(options, deps, parts)
  const confidential = options.clients.filter((client) => client.client_secret !== undefined)
  const resourceServers = new Set(confidential.map(({ client_id }) => client_id))
  return {
    devInteractions: OFF,
    dPoP: OFF,
    pushedAuthorizationRequests: OFF,
    rpInitiatedLogout: OFF,
    userinfo: OFF,
    clientIdMetadataDocument: {
      enabled: !options.machinesOnly,
      ack: 'draft-02',
      allowFetch: (ctx, clientId) =>
        forProvider(() => documents.allowFetch(ctx, clientId, storageOf(ctx))),
    },
    registration: {
      enabled: !options.machinesOnly,
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
        (await forProvider(() => isAlive(sessions, token))),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async (_ctx, _client, oneOf) => oneOf?.[0] ?? resources.canonical,
      getResourceServerInfo: async (_ctx, resource) => resourceServer(resource),
    },
  }
}

/** A refresh token can recreate an idle session, an access token cannot; neither an ended one. */
async function isAlive(
  sessions: AuthorizationServerDeps['sessions'],
  token: AccessToken | { readonly kind: string },
): Promise<boolean> {
  const id = sessionOf(token)
  if (token.kind !== 'AccessToken') return !(await sessions.hasEnded(id))
  const session = await sessions.peek(id)
  return session !== undefined && !isOfEarlierSession(token as AccessToken, session)
}

/** The description of a resource for the library. @throws InvalidTarget for one that is not ours */
export function resourceServersOf(
  { accessTokenTtl }: Pick<AuthorizationServerOptions, 'accessTokenTtl'>,
  { signing }: Pick<AuthorizationServerDeps, 'signing'>,
  { resources, scopes, signingKey }: FeatureParts,
): (resource: string) => ResourceServer {
  const { algorithm: alg, secret } = signing
  const sign = secret === undefined ? { alg, kid: signingKey.kid } : { alg, key: secret }
  return (resource) => {
    if (!resources.all.includes(resource)) throw new errors.InvalidTarget()
    return {
      audience: resource,
      scope: [...scopes.known].join(' '),
      accessTokenFormat: 'jwt',
      accessTokenTTL: accessTokenTtl,
      jwt: { sign } as never,
    }
  }
}

function sessionOf(token: object): string {
  return 'accountId' in token ? String(token.accountId) : ''
}
