/** The scopes that are advertised to clients: of an external issuer those that it knows. */

import { setTimeout as delay } from 'node:timers/promises'
import type { ReadIssuerMetadata } from './issuer-metadata.ts'
import { knowsBaseScope, type Scopes, withoutBaseScope } from './scopes.ts'

/** Never rejects. */
export type AdvertisedScopes = () => Promise<Scopes>

export interface AdvertisedScopesDeps {
  readonly readMetadata: ReadIssuerMetadata
  readonly now: () => number
}

/** Who shows no token does not wait longer for an issuer that does not answer. */
const WAIT_MS = 1000
const TRY_AGAIN_MS = 10_000

/**
 * Strict issuers refuse a request for a scope that they do not know, so that the base scope is named
 * only if the metadata of the issuer has it. `isChosen` for scopes that the operator set: they stay.
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
