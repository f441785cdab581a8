/** The built-in OAuth 2.1 authorization server: endpoints, consents and the check of its tokens. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createEntries } from '../../oidc/entries.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import type { AccessTokens } from '../access-tokens.ts'
import { createResources } from '../resources.ts'
import type { Consents } from './consents.ts'
import { createAccessTokens, createTokenReader } from './issued-tokens.ts'
import { rememberTokens } from './known-tokens.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import type { ProviderServer } from './provider-server.ts'
import { createResourceNames } from './resource-names.ts'
import { createTokenEntries } from './token-entries.ts'

export interface AuthorizationServer {
  /**
   * Handles a request to one of the endpoints; rejects when the store is unavailable. Charges what
   * the request stores to `storage`, if given.
   */
  handle(request: IncomingMessage, response: ServerResponse, storage?: StorageBudget): Promise<void>
  readonly consents: Consents
  readonly accessTokens: AccessTokens
}

/**
 * Creates the server. It is stateless: nodes with the same store and secrets are interchangeable.
 * Imports the library lazily, since calls with a token do not need it.
 * @throws ConfigError when the metadata of a pre-registered client is invalid
 */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
): Promise<AuthorizationServer> {
  const { store, keyRing, sessions, signing, now } = deps
  const resources = createResourceNames(createResources(options.publicUrl, options.serves))
  const longestTtlSeconds = options.refreshTokenTtl + options.accessTokenTtl
  const entries = createEntries({ store, keyRing, now }, { prefix: 'oauth', longestTtlSeconds })
  const tokens = createTokenEntries({ store, keyRing }, { longestTtlSeconds })
  const made = createTokenReader(signing, options.publicUrl, resources, Date.now)
  // Caches verified tokens only for asymmetric signatures: HS256 is cheap to verify.
  const reader = signing.secret === undefined ? rememberTokens(made, Date.now) : made
  let loading: Promise<ProviderServer> | undefined
  const load = () => {
    loading ??= import('./provider-server.ts').then(({ createProviderServer }) =>
      createProviderServer(options, deps, { entries, tokens, reader, resources }),
    )
    return loading
  }
  if (options.clients.length > 0) await (await load()).checkClients()
  return {
    async handle(request, response, storage) {
      await (await load()).handle(request, response, storage)
    },
    consents: {
      find: async (...asked) => (await load()).consents.find(...asked),
      approve: async (...asked) => (await load()).consents.approve(...asked),
      deny: async (...asked) => (await load()).consents.deny(...asked),
    },
    accessTokens: createAccessTokens({ reader, tokens, entries, store, sessions }),
  }
}
