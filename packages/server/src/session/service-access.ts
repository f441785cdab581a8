/** The upstream API for callers without a person: by the service account of the upstream, if any. */

import { noPerson } from '../engine/require-sign-in.ts'
import type { ApiClient } from '../upstream/api-client.ts'
import type { TokenSource } from '../upstream/upstream.ts'
import { type ServiceToken, serviceRefused } from './service-account.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export type ServiceCredentials =
  /** Replaces a person's token; undefined if UPSTREAM_API_KEY is enough. */
  { readonly key: string | undefined } | { readonly token: ServiceToken }

/**
 * `upstream` names an additional upstream, which requires credentials; undefined for the first,
 * which may be called without any.
 */
export function createServiceAccess(
  api: ApiClient,
  credentials: ServiceCredentials | undefined,
  upstream?: string,
): UpstreamAccess {
  return (_session, onAnswer, limit) =>
    api.forCaller(tokensOf(credentials, upstream), { onAnswer, limit })
}

function tokensOf(
  credentials: ServiceCredentials | undefined,
  upstream: string | undefined,
): TokenSource {
  if (credentials === undefined) {
    return {
      async accessToken() {
        if (upstream !== undefined) throw noPerson(upstream)
        return undefined
      },
    }
  }
  let last: string | undefined
  return {
    async accessToken({ forceRefresh, signal } = {}) {
      // A key cannot be refreshed.
      if ('key' in credentials) return forceRefresh ? undefined : credentials.key
      last = await credentials.token(forceRefresh ? last : undefined, signal)
      return last
    },
    async refused(status) {
      if (status === 401) throw serviceRefused('service')
    },
  }
}
