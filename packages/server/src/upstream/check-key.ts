/** Whether an API accepts a key: one request, before the key is kept. */

import type { KeyUpstream } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { ApiClient } from './api-client.ts'
import { UpstreamError } from './upstream-error.ts'

/**
 * Asks the API with a key. 401 and 403 refuse it, an answer with success accepts it, whatever is in
 * it; anything else says nothing of the key, and is logged.
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
