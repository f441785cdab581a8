/** Decorates an identity provider with metrics and traces, and with its configuration warnings. */

import type { ConfigWarning } from '../config.ts'
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

interface WatchedProvider {
  readonly provider: IdentityProvider
  /** Fetches the provider's metadata, as at the first sign-in. */
  check(): Promise<void>
  /** The current warnings, which contain no configured values. */
  warnings(): readonly ConfigWarning[]
}

const WRONG_ISSUER: ConfigWarning = {
  code: 'upstream_issuer_differs',
  message: 'UPSTREAM_ISSUER is not what its metadata names as the issuer: nobody can sign in',
}

const CLIENT_REFUSED: ConfigWarning = {
  code: 'upstream_client_refused',
  message:
    'The identity provider does not accept this server: check UPSTREAM_CLIENT_ID, UPSTREAM_CLIENT_SECRET and UPSTREAM_CLIENT_AUTH',
}

/** Replaces the variable names by those of an additional upstream. */
function named({ code, message }: ConfigWarning, upstream: string | undefined): ConfigWarning {
  if (upstream === undefined) return { code, message }
  const prefix = `UPSTREAM_${upstream.toUpperCase().replaceAll('-', '_')}_`
  return { code, message: `${upstream}: ${message.replaceAll('UPSTREAM_', prefix)}` }
}

/**
 * Records configuration errors as warnings until an operation succeeds. `upstream` is the name of an
 * additional upstream; absent for the first.
 */
export function watchProvider(
  provider: IdentityProvider & { check(): Promise<void> },
  upstream?: string,
): WatchedProvider {
  let isOtherIssuer = false
  let isRefused = false

  async function watched<T>(operation: Promise<T>, authenticates: boolean): Promise<T> {
    try {
      const result = await operation
      isOtherIssuer = false
      if (authenticates) isRefused = false
      return result
    } catch (error) {
      if (error instanceof ProviderError) {
        if (error.isOtherIssuer) isOtherIssuer = true
        if (error.isClientRefused) isRefused = true
      }
      throw error
    }
  }

  return {
    provider: {
      authorizationUrl: (...given) => watched(provider.authorizationUrl(...given), false),
      exchange: (...given) => watched(provider.exchange(...given), true),
      refresh: (credentials) => watched(provider.refresh(credentials), true),
      revoke: (credentials) => provider.revoke(credentials),
    },
    check: () => watched(provider.check(), false),
    warnings: () => [
      ...(isOtherIssuer ? [named(WRONG_ISSUER, upstream)] : []),
      ...(isRefused ? [named(CLIENT_REFUSED, upstream)] : []),
    ],
  }
}
