/** The scopes advertised to clients: with an external issuer, only those that it supports. */

import { setTimeout as delay } from 'node:timers/promises'
import type { ReadIssuerMetadata } from './issuer-metadata.ts'
import { knowsBaseScope, type Scopes, withoutBaseScope } from './scopes.ts'

/** Never rejects. */
export type AdvertisedScopes = () => Promise<Scopes>

export interface AdvertisedScopesDeps {
  readonly readMetadata: ReadIssuerMetadata
  readonly now: () => number
}

/** Bounds how long an unauthenticated request waits for an issuer that does not respond. */
const WAIT_MS = 1000
const TRY_AGAIN_MS = 10_000

/**
 * Advertises the base scope only if the issuer's `scopes_supported` lists it: strict issuers refuse
 * requests for unknown scopes. With `isChosen`, the operator configured the scopes: no change.
 */
export function createAdvertisedScopes(
  { readMetadata, now }: AdvertisedScopesDeps,
  scopes: Scopes,
  isChosen: boolean,
): AdvertisedScopes {
  const strict = withoutBaseScope(scopes)
  if (isChosen || strict.supported.length === scopes.supported.length) return async () => scopes
  let failedAt = Number.NEGATIVE_INFINITY

  async function known(): Promise<Scopes> {
    try {
      const { scopes_supported: supported } = await readMetadata()
      return knowsBaseScope(supported) ? scopes : strict
    } catch {
      failedAt = now()
      return strict
    }
  }

  return async () => {
    if (now() - failedAt < TRY_AGAIN_MS) return strict
    return Promise.race([known(), delay(WAIT_MS, strict, { ref: false })])
  }
}
