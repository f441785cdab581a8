/** Wraps every operation at the identity provider: one timeout, one error type. */

import type { Configuration } from 'openid-client'
import { toProviderError } from './provider-failure.ts'
import { createProviderFetch, type Fetch } from './provider-fetch.ts'
import { createDiscovery, createEndpoints } from './provider-metadata.ts'
import type { OpenIdProviderOptions } from './provider-options.ts'
import { startDeadline } from './request-deadline.ts'
import { normalizeTokenAnswers } from './token-answer.ts'

export interface OpenIdProviderDeps {
  readonly fetch: Fetch
  /** Unix time in milliseconds. */
  now(): number
}

export interface OperationOptions {
  /** Also verify the ID token's signature. */
  readonly verifySignature?: boolean
  /** Overrides the provider's timeout, in milliseconds. */
  readonly timeoutMs?: number
}

/** Runs an operation; rejects with ProviderError, also on timeout. */
export type Operate = <T>(
  use: (configuration: Configuration) => Promise<T>,
  options?: OperationOptions,
) => Promise<T>

/** Creates the runner; the timeout covers all requests of an operation, including discovery. */
export function createOperation(options: OpenIdProviderOptions, deps: OpenIdProviderDeps): Operate {
  const { allowInsecureHttp = false } = options
  const configure =
    'issuer' in options ? createDiscovery(options, deps.now) : createEndpoints(options)

  return async (use, { verifySignature = false, timeoutMs } = {}) => {
    const deadline = startDeadline(timeoutMs ?? options.timeoutMs ?? 5000, deps.now)
    const { signal } = deadline
    let endpoint: string | undefined
    const recording: Fetch = (address, init) => {
      const { origin, pathname } = new URL(String(address))
      endpoint = origin + pathname
      return deps.fetch(address, init)
    }
    const guarded = createProviderFetch({ fetch: recording, allowInsecureHttp, signal })
    const fetch = normalizeTokenAnswers(guarded, deps.now, options.dialect)
    try {
      return await deadline.race(configure({ fetch, verifySignature }).then(use))
    } catch (error) {
      throw toProviderError(error, endpoint)
    } finally {
      deadline.stop()
    }
  }
}
