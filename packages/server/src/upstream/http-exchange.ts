/** Sends API requests over HTTP, and follows redirects if the tool asks for it. */

import { type Dispatcher, request } from 'undici'
import type { Exchange } from './api-attempt.ts'
import { followRedirects, isFollowed, type RedirectDeps } from './redirects.ts'
import { errorForTransport } from './upstream-error.ts'

export interface HttpExchangeDeps extends RedirectDeps {
  readonly dispatcher: Dispatcher
}

export function createHttpExchange(deps: HttpExchangeDeps): Exchange {
  return async ({ method, url, content, timeoutMs, options: { follow } }, headers, signal) => {
    const limits = { signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
    const { dispatcher } = deps
    try {
      const response = await request(url, { method, headers, body: content, dispatcher, ...limits })
      if (!isFollowed(response.statusCode, method, follow)) return response
      const { accept = '*/*' } = headers
      return await followRedirects(response, { method, from: url, follow, accept, limits }, deps)
    } catch (error) {
      throw errorForTransport(error)
    }
  }
}
