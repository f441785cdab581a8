/** The demo: a built-in upstream for development. */

import { Hono } from 'hono'
import { DEMO_API_PATH, DEMO_PROVIDER_PATH } from '../config/demo-paths.ts'
import { basePathOf } from '../config/public-path.ts'
import type { ConfiguredUpstream, Secrets } from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Logger } from '../logger.ts'
import { Entries } from '../oidc/entries.ts'
import { createStoreAdapter } from '../oidc/store-adapter.ts'
import type { Store } from '../store/port.ts'
import { createDemoBankApi } from './bank-api.ts'
import { createDemoIdentityProvider } from './demo-provider.ts'
import { DEMO_ENTRIES } from './provider-configuration.ts'

export interface DemoDeps {
  readonly store: Store
  readonly log: Logger
  readonly secrets: Secrets
  readonly keyRing: KeyRing
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** The server's own URL; the demo is below it. */
  readonly publicUrl: string
  /** Replaces the bank API. */
  readonly api?: Hono | undefined
}

/** Creates the provider and the API; all nodes with the same store and key form one demo. */
export function createDemo({ store, log, secrets, keyRing, now, publicUrl, api: given }: DemoDeps) {
  const provider = createDemoIdentityProvider(
    {
      issuer: `${publicUrl}${DEMO_PROVIDER_PATH}`,
      basePath: basePathOf(publicUrl),
      redirectUris: [`${publicUrl}/callback`],
      secret: secrets.encryptionKeys.map((key) => key.toString('hex')).join(),
    },
    {
      adapter: createStoreAdapter(new Entries({ store, keyRing, now }, DEMO_ENTRIES)),
      onError: (error) => log.error({ err: error }, 'demo identity provider failed'),
    },
  )
  const upstream: ConfiguredUpstream = {
    kind: 'configured',
    name: 'demo',
    provider: { issuer: provider.issuer },
    clientId: provider.clientId,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    authorizationParameters: {},
    api: { baseUrl: `${publicUrl}${DEMO_API_PATH}`, apiKeyHeader: 'x-api-key', timeoutMs: 10_000 },
  }
  const bank = () => new Hono().route('/', createDemoBankApi({ verifyToken: provider.verifyToken }))
  const api: Hono = given ?? bank()
  return { upstream, clientSecret: provider.clientSecret, handler: provider.handler, api }
}

export type Demo = ReturnType<typeof createDemo>
