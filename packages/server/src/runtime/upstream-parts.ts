/** Wires the upstreams for sign-in and API calls: as configured, or the demo. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Hono } from 'hono'
import type {
  AllowRule,
  Config,
  ConfiguredUpstream,
  ConfigWarning,
  KeyUpstream,
  NamedUpstream,
  Secrets,
  UpstreamSecrets,
} from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Logger } from '../logger.ts'
import type { CheckKey } from '../session/key-entry.ts'
import { logProviderFailure } from '../session/log-provider-failure.ts'
import type { Store } from '../store/port.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { allowedBy } from '../upstream/allow-list.ts'
import { type ApiClient, createApiClient } from '../upstream/api-client.ts'
import { createCheckKey } from '../upstream/check-key.ts'
import { type IdentityProvider, ProviderError } from '../upstream/identity-provider.ts'
import { observeProvider, watchProvider } from '../upstream/observed-provider.ts'
import { createOpenIdProvider } from '../upstream/openid-client.ts'
import { createOutgoing, type Outgoing } from '../upstream/outgoing.ts'
import { fetchOf, providerOptions, usesPlainHttp } from './provider-parts.ts'
import { type ServiceParts, servicePartsOf } from './service-parts.ts'

export { providerOptions } from './provider-parts.ts'

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
  readonly kind: NamedUpstream['kind']
  /** Name of an additional upstream; undefined for the first. */
  readonly label: string | undefined
  /** Identity provider; a stub for upstreams without a sign-in. */
  readonly provider: IdentityProvider
  readonly api: ApiClient
  /** The service account for callers without a person; undefined without one. */
  readonly service: ServiceParts | undefined
  /** Undefined for upstreams without pasted keys. */
  readonly checkKey: CheckKey | undefined
  readonly signsInAt: string
  /** Checks that sign-ins at the provider can start, and logs a failure; never rejects. */
  check(): Promise<void>
  /** Warnings that only the operator can resolve. */
  warnings(): readonly ConfigWarning[]
}

export type Upstreams = Awaited<ReturnType<typeof createUpstreams>>

/** Creates the configured upstreams; the demo may replace the first. */
export async function createUpstreams(deps: UpstreamDeps, keyRing: KeyRing, now: () => number) {
  const { config, secrets, log, store, publicUrl, demoApi } = deps
  const demo =
    config.upstream.kind === 'demo'
      ? // Lazy import: not needed with a configured upstream.
        (await import('../demo/demo.ts')).createDemo({
          store,
          log,
          secrets,
          keyRing,
          now,
          publicUrl,
          api: demoApi,
        })
      : undefined
  const facts = config.upstream.kind === 'demo' ? demo?.upstream : config.upstream
  if (facts === undefined) throw new Error('Neither an upstream nor the demo is configured')
  const first = {
    clientSecret: demo?.clientSecret ?? secrets.upstreamClientSecret,
    clientKey: demo === undefined ? secrets.upstreamClientKey : undefined,
    apiKey: secrets.upstreamApiKey,
    serviceKey: secrets.upstreamServiceKey,
    serviceClientSecret: secrets.upstreamServiceClientSecret,
  }
  const { allow } = config.signIn
  // No proxy: the demo runs in this server.
  const firstDeps = demo === undefined ? deps : { ...deps, outgoing: createOutgoing() }
  return {
    demo,
    first: createUpstream(firstDeps, now, {
      ...{ facts, secrets: first, allow, isDemo: demo !== undefined },
    }),
    further: (config.furtherUpstreams ?? []).map((facts) => {
      const own = secrets.furtherUpstreams.get(facts.name) ?? NO_SECRETS
      const { name: label, allow } = facts
      return createUpstream(deps, now, { facts, secrets: own, allow, label })
    }),
  }
}

const NO_SECRETS: UpstreamSecrets = {
  clientSecret: undefined,
  clientKey: undefined,
  apiKey: undefined,
}

interface OneUpstream {
  readonly facts: NamedUpstream
  readonly secrets: UpstreamSecrets
  readonly allow?: readonly AllowRule[] | undefined
  readonly isDemo?: boolean
  readonly label?: string
}

function createUpstream(deps: UpstreamDeps, now: () => number, one: OneUpstream): UpstreamParts {
  const { facts, secrets, label } = one
  const { name, kind } = facts
  const api = createApi(deps, facts, secrets)
  const common = {
    name,
    kind,
    label,
    api,
    service: servicePartsOf(facts, secrets, { ...deps, now }),
  }
  if (facts.kind === 'configured') return { ...common, ...signInAt(deps, now, { ...one, facts }) }
  const checkKey = facts.kind === 'key' ? createCheckKey(api, facts, deps.log) : undefined
  return {
    ...common,
    checkKey,
    provider: keyProvider(deps.publicUrl, name),
    signsInAt: new URL(facts.api.baseUrl).host,
    check: async () => undefined,
    warnings: () => [],
  }
}

/** Stub for upstreams with API keys: redirects to the page for pasting a key. */
function keyProvider(publicUrl: string, name: string): IdentityProvider {
  const refuse = () => Promise.reject(new Error(`Nobody signs in at ${name}`))
  return {
    authorizationUrl: async (_redirectUri, { state }) =>
      new URL(`${publicUrl}/key/${name}/${state}`),
    exchange: refuse,
    refresh: refuse,
    revoke: async () => undefined,
  }
}

function signInAt(
  { config, log, telemetry, outgoing }: UpstreamDeps,
  now: () => number,
  { facts, secrets, allow, isDemo, label }: OneUpstream & { readonly facts: ConfiguredUpstream },
) {
  const openId = createOpenIdProvider(
    {
      ...providerOptions(facts, {
        upstreamClientSecret: secrets.clientSecret,
        upstreamClientKey: secrets.clientKey,
      }),
      allowInsecureHttp: !config.isProduction || usesPlainHttp(facts.provider),
      isAllowed: allow && allowedBy(allow),
    },
    { fetch: fetchOf(facts, secrets, outgoing), now },
  )
  const watch = watchProvider(openId, label)
  const provider = observeProvider(watch.provider, telemetry, label)
  // The demo is not listening yet.
  const check = async () =>
    isDemo === true
      ? undefined
      : watch.check().catch((error: unknown) => logCheck(log, error, label))
  const address =
    'issuer' in facts.provider ? facts.provider.issuer : facts.provider.authorizationEndpoint
  const signsInAt = new URL(address).host
  return { provider, check, warnings: watch.warnings, signsInAt, checkKey: undefined }
}

function createApi(
  { config, telemetry, outgoing }: UpstreamDeps,
  facts: NamedUpstream,
  { apiKey }: UpstreamSecrets,
): ApiClient {
  const { baseUrl, apiKeyHeader, apiKeyTemplate, timeoutMs } = facts.api
  const userAgent = `${config.app.identifier.replaceAll(/[^\w.-]+/g, '-')}/${config.app.version}`
  return createApiClient(
    {
      ...{ baseUrl, apiKeyHeader, timeoutMs, userAgent },
      apiKey: apiKey && (apiKeyTemplate ?? '{key}').replace('{key}', () => apiKey),
      ...(facts.kind === 'key' && keyOptions(facts)),
    },
    {
      now: Date.now,
      random: Math.random,
      sleep: (ms, signal) => delay(ms, undefined, { signal }),
      tracing: telemetry.tracing,
      outgoing,
    },
  )
}

function keyOptions({ keyHeader: { name, template } }: KeyUpstream) {
  return { tokenHeader: name, tokenValue: (key: string) => template.replace('{key}', () => key) }
}

function logCheck(log: Logger, error: unknown, upstream: string | undefined): void {
  if (!(error instanceof ProviderError)) throw error
  logProviderFailure(log, 'identity provider not reached', error, { upstream })
}
