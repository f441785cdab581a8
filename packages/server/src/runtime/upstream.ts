/** What people sign in at and tools call: the configured services, or the demo of them. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Hono } from 'hono'
import type {
  Config,
  ConfiguredUpstream,
  ConfigWarning,
  ProviderConfig,
  Secrets,
} from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Demo } from '../demo/demo.ts'
import type { Logger } from '../logger.ts'
import { logProviderFailure } from '../session/log-provider-failure.ts'
import type { Store } from '../store/port.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { allowedBy } from '../upstream/allowed-accounts.ts'
import { type ApiClient, createApiClient } from '../upstream/api-client.ts'
import { type IdentityProvider, ProviderError } from '../upstream/identity-provider.ts'
import { observeProvider } from '../upstream/observed-provider.ts'
import { createOpenIdProvider } from '../upstream/openid-client.ts'
import { createOutgoing, type Outgoing } from '../upstream/outgoing.ts'
import type { Fetch } from '../upstream/provider-fetch.ts'
import { createTlsFetch } from '../upstream/tls-fetch.ts'
import { watchProvider } from '../upstream/watched-provider.ts'

interface UpstreamDeps {
  readonly config: Config
  readonly secrets: Secrets
  readonly log: Logger
  readonly store: Store
  readonly publicUrl: string
  readonly telemetry: Telemetry
  readonly outgoing: Outgoing
  readonly demoApi?: Hono | undefined
}

export interface UpstreamParts {
  readonly name: string
  readonly provider: IdentityProvider
  readonly api: ApiClient
  readonly signsInAt: string
  readonly demo: Demo | undefined
  /** Finds out whether people can be sent to the provider, and logs why not; never rejects. */
  check(): Promise<void>
  /** What only the operator can correct. */
  warnings(): readonly ConfigWarning[]
}

type ProviderSecrets = Pick<Secrets, 'upstreamClientSecret' | 'upstreamClientKey'>

function demoSecrets({ clientSecret: upstreamClientSecret }: Demo): ProviderSecrets {
  return { upstreamClientSecret, upstreamClientKey: undefined }
}

/** What the configuration says of the provider. */
export function providerOptions(
  facts: ConfiguredUpstream,
  { upstreamClientSecret: clientSecret, upstreamClientKey: clientKey }: ProviderSecrets,
) {
  const { provider, clientId, clientAuth, clientKeyId, clientCertificate, dialect } = facts
  const { scopes, authorizationParameters, tokenParameters } = facts
  return {
    ...provider,
    ...{ clientId, clientAuth, clientSecret, clientKey, clientKeyId, clientCertificate, dialect },
    ...{ scopes, authorizationParameters, tokenParameters },
  }
}

/** With a certificate where the provider knows this server by one. */
function fetchOf(
  { clientAuth, clientCertificate: certificate }: ConfiguredUpstream,
  { upstreamClientKey }: Secrets,
  outgoing: Outgoing,
): Fetch {
  if (clientAuth !== 'tls' || certificate === undefined) return outgoing.fetch
  if (upstreamClientKey === undefined) return outgoing.fetch
  return createTlsFetch({ certificate, key: upstreamClientKey.key }, outgoing)
}

/** The configured upstream, or the demo that stands in for one. */
export async function createUpstream(
  deps: UpstreamDeps,
  keyRing: KeyRing,
  now: () => number,
): Promise<UpstreamParts> {
  const { config, secrets, log, store, publicUrl, telemetry, demoApi } = deps
  // The demo is this server itself.
  const outgoing = config.upstream.kind === 'demo' ? createOutgoing() : deps.outgoing
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
  const openId = createOpenIdProvider(
    {
      ...providerOptions(facts, demo === undefined ? secrets : demoSecrets(demo)),
      allowInsecureHttp: !config.isProduction || usesPlainHttp(facts.provider),
      isAllowed: config.signIn.allow && allowedBy(config.signIn.allow),
    },
    { fetch: fetchOf(facts, secrets, outgoing), now },
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
      outgoing,
    },
  )
  const watch = watchProvider(openId)
  const provider = observeProvider(watch.provider, telemetry)
  // Nobody listens at the demo yet.
  const check = async () =>
    demo === undefined ? watch.check().catch((error: unknown) => logCheck(log, error)) : undefined
  const address =
    'issuer' in facts.provider ? facts.provider.issuer : facts.provider.authorizationEndpoint
  return {
    name: facts.name,
    provider,
    api,
    signsInAt: new URL(address).host,
    demo,
    check,
    warnings: watch.warnings,
  }
}

function logCheck(log: Logger, error: unknown): void {
  if (!(error instanceof ProviderError)) throw error
  logProviderFailure(log, 'identity provider not reached', error)
}

/** The configuration refuses it for other machines; an https issuer must not name such endpoints. */
function usesPlainHttp(provider: ProviderConfig): boolean {
  return Object.values(provider).some((address) => new URL(address).protocol === 'http:')
}
