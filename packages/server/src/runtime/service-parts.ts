/** The service accounts of upstreams, from the configuration. */

import type { Config, NamedUpstream, UpstreamSecrets } from '../config.ts'
import type { Outgoing } from '../upstream/outgoing.ts'
import type { RequestServiceToken } from '../upstream/service-token.ts'
import { fetchOf, providerOptions, usesPlainHttp } from './provider-parts.ts'

interface ServiceDeps {
  readonly config: Pick<Config, 'isProduction'>
  readonly outgoing: Outgoing
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** An API key (undefined: UPSTREAM_API_KEY is sent anyway), or how to request a token. */
export type ServiceParts =
  | { readonly key: string | undefined }
  | { readonly request: RequestServiceToken }

/** The service account of an upstream; its library is loaded at the first use. */
export function servicePartsOf(
  facts: NamedUpstream,
  secrets: UpstreamSecrets,
  { config, outgoing, now }: ServiceDeps,
): ServiceParts | undefined {
  const service = facts.kind === 'operator' ? undefined : facts.service
  if (service?.kind === 'api_key') return { key: secrets.serviceKey }
  if (service === undefined || facts.kind !== 'configured') return undefined
  const { serviceClientSecret: own } = secrets
  const { clientId, clientAuth, clientSecret, clientKey, ...common } = providerOptions(facts, {
    upstreamClientSecret: secrets.clientSecret,
    upstreamClientKey: secrets.clientKey,
  })
  const client = own === undefined ? { clientId, clientAuth, clientSecret, clientKey } : {}
  const options = {
    ...common,
    ...client,
    ...{ clientId: service.clientId ?? clientId, ...(own && { clientSecret: own }) },
    scopes: service.scopes,
    allowInsecureHttp: !config.isProduction || usesPlainHttp(facts.provider),
  }
  let loading: Promise<RequestServiceToken> | undefined
  const load = () => {
    loading ??= import('../upstream/service-token.ts').then(({ createServiceTokenRequest }) =>
      createServiceTokenRequest(options, { fetch: fetchOf(facts, secrets, outgoing), now }),
    )
    return loading
  }
  return { request: async () => (await load())() }
}
