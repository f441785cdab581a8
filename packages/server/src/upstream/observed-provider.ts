/** Decorates an identity provider with metrics and traces. */

import type { Telemetry } from '../telemetry/telemetry.ts'
import { type IdentityProvider, ProviderError } from './identity-provider.ts'

/** Spans carry no arguments, which hold codes and tokens. `upstream` names an additional one. */
export function observeProvider(
  provider: IdentityProvider,
  { metrics, tracing }: Telemetry,
  upstream?: string,
): IdentityProvider {
  const traced = <T>(operation: string, work: () => Promise<T>): Promise<T> =>
    tracing === undefined
      ? work()
      : tracing.inChild({ name: `identity provider ${operation}`, kind: 'client' }, work)

  async function refresh(...[credentials]: Parameters<IdentityProvider['refresh']>) {
    try {
      const fresh = await provider.refresh(credentials)
      metrics.refresh('ok', upstream)
      return fresh
    } catch (error) {
      metrics.refresh(error instanceof ProviderError ? error.code : 'internal_error', upstream)
      throw error
    }
  }

  return {
    authorizationUrl: (...given) =>
      traced('authorization', () => provider.authorizationUrl(...given)),
    exchange: (...given) => traced('exchange', () => provider.exchange(...given)),
    refresh: (credentials) => traced('refresh', () => refresh(credentials)),
    revoke: (credentials) => traced('revoke', () => provider.revoke(credentials)),
  }
}
