/** What people sign in at and tools call: the configured services, or the demo of them. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Hono } from 'hono'
import type { Config, ProviderConfig, Secrets } from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Demo } from '../demo/demo.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { allowedBy } from '../upstream/allowed-accounts.ts'
import { type ApiClient, createApiClient } from '../upstream/api-client.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import { observeProvider } from '../upstream/observed-provider.ts'
import { createOpenIdProvider } from '../upstream/openid-client.ts'

interface UpstreamDeps {
  readonly config: Config
  readonly secrets: Secrets
  readonly log: Logger
  readonly store: Store
  readonly publicUrl: string
  readonly telemetry: Telemetry
  readonly demoApi?: Hono | undefined
}

export interface UpstreamParts {
  readonly name: string
  readonly provider: IdentityProvider
  readonly api: ApiClient
  readonly signsInAt: string
  readonly demo: Demo | undefined
}

/** The configured upstream, or the demo that stands in for one. */
export async function createUpstream(
  { config, secrets, log, store, publicUrl, telemetry, demoApi }: UpstreamDeps,
  keyRing: KeyRing,
  now: () => number,
): Promise<UpstreamParts> {
  const demo =
    config.upstream.kind === 'demo'
      ? // Loaded only here: nothing of it is needed with an upstream.
        (await import('../demo/demo.ts')).createDemo({
          store,
          log,
          secrets,
          keyRing,
          publicUrl,
          api: demoApi,
        })
      : undefined
  const facts = config.upstream.kind === 'demo' ? demo?.upstream : config.upstream
  if (facts === undefined) throw new Error('Neither an upstream nor the demo is configured')
  const clientSecret = demo?.clientSecret ?? secrets.upstreamClientSecret
  const openId = createOpenIdProvider(
    {
      ...facts.provider,
      clientId: facts.clientId,
      clientSecret,
      scopes: facts.scopes,
      authorizationParameters: facts.authorizationParameters,
      allowInsecureHttp: !config.isProduction || usesPlainHttp(facts.provider),
      isAllowed: config.signIn.allow && allowedBy(config.signIn.allow),
    },
    { fetch, now },
  )
  const { baseUrl, apiKeyHeader, timeoutMs } = facts.api
  const userAgent = `${config.app.identifier.replaceAll(/[^\w.-]+/g, '-')}/${config.app.version}`
  const api = createApiClient(
    { baseUrl, apiKeyHeader, timeoutMs, apiKey: secrets.upstreamApiKey, userAgent },
    {
      now: Date.now,
      random: Math.random,
      sleep: (ms, signal) => delay(ms, undefined, { signal }),
      tracing: telemetry.tracing,
    },
  )
  const provider = observeProvider(openId, telemetry)
  const address =
    'issuer' in facts.provider ? facts.provider.issuer : facts.provider.authorizationEndpoint
  return { name: facts.name, provider, api, signsInAt: new URL(address).host, demo }
}

/** The configuration refuses it for other machines; an https issuer must not name such endpoints. */
function usesPlainHttp(provider: ProviderConfig): boolean {
  return Object.values(provider).some((address) => new URL(address).protocol === 'http:')
}
