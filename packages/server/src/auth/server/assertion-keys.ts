/** What client metadata says of `private_key_jwt`: the keys, and whether an assertion is required. */

import type { JWK } from 'jose'
import { usableKeys } from '../client-keys.ts'
import { ASSERTION_KEYS, authMethodsIn } from './clients.ts'

const METHOD = 'private_key_jwt'

export type AssertionKeys = {
  /** The document does not name `none`: nobody is this client without an assertion. */
  readonly isRequired: boolean
  /** The audience is the issuer, and not the token endpoint, which published clients name as well. */
  readonly issuerOnly?: boolean
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

/**
 * Metadata of a pre-registered client. One with `private_key_jwt` is bound to its keys, and is a public
 * one to the library, as those with a document are.
 */
export function withAssertionKeys(
  metadata: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { [ASSERTION_KEYS]: _ignored, ...given } = metadata
  if (given.token_endpoint_auth_method !== METHOD) return given
  const keys = assertionKeysIn(given)
  // Without keys the library refuses the method, and the server does not start.
  if (keys === undefined) return given
  const own: AssertionKeys = { ...keys, isRequired: true, issuerOnly: true }
  return { ...given, token_endpoint_auth_method: 'none', [ASSERTION_KEYS]: own }
}

/** RFC 7591, section 2: `jwks` and `jwks_uri` exclude each other; the address can be updated. */
function keysIn({ jwks, jwks_uri: uri }: Readonly<Record<string, unknown>>) {
  if (typeof uri === 'string' && URL.canParse(uri) && uri.startsWith('https://')) {
    return { jwksUri: uri }
  }
  const keys = usableKeys(jwks) ?? []
  return keys.length > 0 ? { jwks: keys } : undefined
}
