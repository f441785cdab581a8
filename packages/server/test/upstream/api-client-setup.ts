/** A client of a misbehaving server, with a clock that does not wait and recorded token requests. */

import { onTestFinished } from 'vitest'
import { type ApiClientOptions, createApiClient } from '../../src/upstream/api-client.ts'
import type { TokenOptions, TokenSource } from '../../src/upstream/upstream.ts'
import { UpstreamError } from '../../src/upstream/upstream-error.ts'
import { type Answer, startServer } from './misbehaving-server.ts'

/** A server, a client for it, and their records; closed after the test. */
export async function setUp(answer: Answer, options: Partial<ApiClientOptions> = {}) {
  const server = await startServer(answer)
  onTestFinished(() => server.close())
  const waits: number[] = []
  const client = createApiClient(
    { baseUrl: server.origin, userAgent: 'test/1', ...options },
    {
      now: Date.now,
      sleep: async (ms) => void waits.push(ms),
      random: () => 0,
    },
  )
  onTestFinished(() => client.close())
  return { server, client, waits, api: client.forCaller(tokens('secret-token')) }
}

/** A source that returns the first token, and the next one at each forced refresh. */
export function tokens(...list: string[]): TokenSource & { requested: TokenOptions[] } {
  const requested: TokenOptions[] = []
  let index = 0
  return {
    requested,
    async accessToken(options = {}) {
      requested.push(options)
      if (options.forceRefresh) index++
      return list[index]
    },
  }
}

/** The UpstreamError of a failed call; anything else fails the test. */
export async function failure(call: Promise<unknown>): Promise<UpstreamError> {
  const error = await call.then(
    (value) => new Error(`succeeded with ${JSON.stringify(value)}`),
    (reason) => reason,
  )
  if (!(error instanceof UpstreamError)) throw error
  return error
}
