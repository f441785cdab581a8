/** The options of identity providers, from the configuration. */

import type { ConfiguredUpstream, ProviderConfig, Secrets, UpstreamSecrets } from '../config.ts'
import { createTlsFetch, type Outgoing } from '../upstream/outgoing.ts'
import type { Fetch } from '../upstream/provider-fetch.ts'

type ProviderSecrets = Pick<Secrets, 'upstreamClientSecret' | 'upstreamClientKey'>

/** Provider options from the configuration. */
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

/** A `fetch` with a client certificate (mutual TLS) if configured. */
export function fetchOf(
  { clientAuth, clientCertificate: certificate }: ConfiguredUpstream,
  { clientKey }: UpstreamSecrets,
  outgoing: Outgoing,
): Fetch {
  if (clientAuth !== 'tls' || certificate === undefined) return outgoing.fetch
  if (clientKey === undefined) return outgoing.fetch
  return createTlsFetch({ certificate, key: clientKey.key }, outgoing)
}

/** Configuration allows http for loopback only; an https issuer must not name http endpoints. */
export function usesPlainHttp(provider: ProviderConfig): boolean {
  return Object.values(provider).some((address) => new URL(address).protocol === 'http:')
}
