/** The signing keys of an external issuer (its JWKS), discovered by its metadata and cached. */

import { setTimeout as delay } from 'node:timers/promises'
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type RemoteJWKSet,
} from 'jose'
import type { Logger } from '../logger.ts'
import { createProviderFetch } from '../upstream/provider-fetch.ts'
import { issuerUnavailable, type ReadIssuerMetadata } from './issuer-metadata.ts'

export interface IssuerKeysOptions {
  /** Permits plain http to loopback addresses, for development. */
  readonly allowInsecureHttp: boolean
}

export interface IssuerKeysDeps {
  readonly readMetadata: ReadIssuerMetadata
  readonly fetch: typeof globalThis.fetch
  readonly log: Logger
}

/**
 * Finds the key that a token's header names, in the issuer's own JWKS only: ignores `jku`, `jwk`
 * and `x5u`, which an attacker controls.
 * @throws AppError `unavailable` when the issuer is unreachable; errors of `jose` for unknown keys
 */
export type IssuerKeys = (
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
) => ReturnType<RemoteJWKSet>

const TIMEOUT_MS = 3000
const KEYS_MAX_AGE_MS = 10 * 60 * 1000
/**
 * Minimum interval between refetches for unknown keys: invented key ids must not flood the issuer.
 */
const COOL_DOWN_MS = 1000

export function createIssuerKeys(options: IssuerKeysOptions, deps: IssuerKeysDeps): IssuerKeys {
  const { readMetadata, fetch, log } = deps
  const { allowInsecureHttp } = options
  let known: { readonly address: string; readonly keys: RemoteJWKSet } | undefined

  function keySet(address: string): RemoteJWKSet {
    return createRemoteJWKSet(new URL(address), {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      cooldownDuration: COOL_DOWN_MS,
      [customFetch]: (url, { headers, signal }) =>
        createProviderFetch({ fetch, allowInsecureHttp, signal })(url, {
          method: 'GET',
          headers: Object.fromEntries(headers),
          body: undefined,
          redirect: 'manual',
        }),
    })
  }

  async function current(): Promise<RemoteJWKSet> {
    const { jwks_uri: address } = await readMetadata()
    if (address === undefined) throw new TypeError('The metadata of the issuer has no jwks_uri')
    if (known?.address !== address) known = { address, keys: keySet(address) }
    return known.keys
  }

  return async (header, token) => {
    try {
      const keys = await current()
      try {
        return await keys(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey && keys.coolingDown)) throw error
        // The issuer may have rotated its keys since the last fetch: waits and fetches once more,
        // so that a valid token is not refused.
        await delay(COOL_DOWN_MS)
        return await keys(header, token)
      }
    } catch (error) {
      if (isAboutToken(error)) throw error
      log.warn({ err: error }, 'issuer keys not read')
      throw issuerUnavailable(error)
    }
  }
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
