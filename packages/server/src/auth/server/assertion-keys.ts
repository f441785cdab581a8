/** What a client's metadata document says of `private_key_jwt`: its keys, and whether it insists. */

import type { JWK } from 'jose'
import { usableKeys } from '../client-keys.ts'
import { authMethodsIn } from './clients.ts'

const METHOD = 'private_key_jwt'

export type AssertionKeys = {
  /** The document does not name `none`: nobody is this client without an assertion. */
  readonly isRequired: boolean
  /** The only algorithm it signs with. */
  readonly alg?: string
} & ({ readonly jwks: readonly JWK[] } | { readonly jwksUri: string })

/**
 * Undefined unless the document names `private_key_jwt` and keys. What a client prefers is not what
 * it requires: one that names `none` as well may leave its assertion out.
 */
export function assertionKeysIn(
  document: Readonly<Record<string, unknown>>,
): AssertionKeys | undefined {
  const methods = authMethodsIn(document)
  const keys = keysIn(document)
  if (!methods.includes(METHOD) || keys === undefined) return undefined
  const { token_endpoint_auth_signing_alg: alg } = document
  return {
    isRequired: !methods.includes('none'),
    ...(typeof alg === 'string' && { alg }),
    ...keys,
  }
}

/** RFC 7591, section 2: `jwks` and `jwks_uri` exclude each other; the address can be updated. */
function keysIn({ jwks, jwks_uri: uri }: Readonly<Record<string, unknown>>) {
  if (typeof uri === 'string' && URL.canParse(uri) && uri.startsWith('https://')) {
    return { jwksUri: uri }
  }
  const keys = usableKeys(jwks) ?? []
  return keys.length > 0 ? { jwks: keys } : undefined
}
