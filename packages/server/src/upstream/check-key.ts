/** Verifies an API key with one request before it is stored. */

import type { KeyUpstream } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { ApiClient } from './api-client.ts'
import { UpstreamError } from './upstream-error.ts'

/**
 * Sends one request with the key. 401 and 403 reject the key, any 2xx accepts it, regardless of the
 * body; every other outcome is inconclusive, and is logged.
 */
export function createCheckKey(
  api: ApiClient,
  { name: upstream, checkPath }: Pick<KeyUpstream, 'name' | 'checkPath'>,
  log: Pick<Logger, 'warn'>,
) {
  return async (key: string): Promise<'accepted' | 'refused' | 'unavailable'> => {
    try {
      await api.forCaller({ accessToken: async () => key }).get(checkPath, {}, { as: 'bytes' })
      return 'accepted'
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error
      const { status, code: errorCode, reason } = error
      if (status === 401 || status === 403) return 'refused'
      if (status !== undefined && status >= 200 && status < 300) return 'accepted'
      log.warn({ upstream, errorCode, reason, status }, 'pasted key not checked')
      return 'unavailable'
    }
  }
}
