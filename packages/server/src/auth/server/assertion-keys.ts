/** `private_key_jwt` in client metadata: the keys, and whether an assertion is required. */

import type { JWK } from 'jose'
import { usableKeys } from '../client-keys.ts'
import { ASSERTION_KEYS, authMethodsIn } from './clients.ts'

const METHOD = 'private_key_jwt'

export type AssertionKeys = {
  /** Whether the client must authenticate: its metadata does not list `none`. */
  readonly isRequired: boolean
  /** Accepts only the issuer as audience; published clients may also use the token endpoint. */
  readonly issuerOnly?: boolean
  /** The only algorithm that the client signs with. */
  readonly alg?: string
} & ({ readonly jwks: readonly JWK[] } | { readonly jwksUri: string })

/**
 * Undefined unless the document names `private_key_jwt` and keys. The method that a client names is
 * a preference: a client that also lists `none` may omit its assertion.
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
 * Prepares the metadata of a pre-registered client. A client with `private_key_jwt` is a public
 * client to the library, as clients with metadata documents are; our own check requires its
 * assertion.
 */
export function withAssertionKeys(
  metadata: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { [ASSERTION_KEYS]: _ignored, ...given } = metadata
  if (given.token_endpoint_auth_method !== METHOD) return given
  const keys = assertionKeysIn(given)
  // Without keys the library refuses the method, and startup fails.
  if (keys === undefined) return given
  const own: AssertionKeys = { ...keys, isRequired: true, issuerOnly: true }
  return { ...given, token_endpoint_auth_method: 'none', [ASSERTION_KEYS]: own }
}

/** RFC 7591, section 2: `jwks` and `jwks_uri` exclude each other; prefers `jwks_uri` (rotation). */
function keysIn({ jwks, jwks_uri: uri }: Readonly<Record<string, unknown>>) {
  if (typeof uri === 'string' && URL.canParse(uri) && uri.startsWith('https://')) {
    return { jwksUri: uri }
  }
  const keys = usableKeys(jwks) ?? []
  return keys.length > 0 ? { jwks: keys } : undefined
}
