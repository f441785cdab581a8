/**
 * Normalizes client ID metadata documents (draft-ietf-oauth-client-id-metadata-document) to the
 * form that the library accepts, and finds the keys of `private_key_jwt` in client metadata.
 */

import type { JWK } from 'jose'
import { usableKeys } from '../client-keys.ts'
import type { DocumentFetch } from '../document-fetch.ts'
import { ASSERTION_KEYS, authMethodsIn, isEmpty, SHARED_SECRET_METHODS } from './clients.ts'

type Metadata = Readonly<Record<string, unknown>>

/** Wraps `fetch` to normalize a document before the library validates it. */
export function normalizeDocuments(fetch: DocumentFetch['fetch']): DocumentFetch['fetch'] {
  return async (address, init) => {
    const response = await fetch(address, init)
    if (response.status !== 200) return response
    const document = normalized((await response.json()) as Metadata)
    return new Response(JSON.stringify(document), { headers: response.headers })
  }
}

function normalized(document: Metadata): Metadata {
  const entries = Object.entries(document).filter(([, value]) => !isEmpty(value))
  const metadata = Object.fromEntries(entries)
  // Meaningless without a secret. Keeps a secret, for which the library refuses the document.
  if (metadata.client_secret === undefined) delete metadata.client_secret_expires_at
  return {
    ...metadata,
    token_endpoint_auth_method: authMethodOf(metadata),
    [ASSERTION_KEYS]: assertionKeysIn(metadata),
  }
}

/**
 * `none`, the only method that the library supports for documents, always with PKCE; our own check
 * verifies the assertions of clients with keys. The method in a document is a preference, not a
 * requirement. The draft forbids shared secrets (section 4.1): the library refuses a document that
 * offers no other method, and values of other types.
 */
function authMethodOf(metadata: Metadata): unknown {
  const { token_endpoint_auth_method: named } = metadata
  if (named !== undefined && typeof named !== 'string') return named
  const methods = authMethodsIn(metadata)
  const onlySecrets = methods.every((method) => SHARED_SECRET_METHODS.includes(method))
  return methods.length > 0 && onlySecrets ? methods[0] : 'none'
}

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
function assertionKeysIn(document: Readonly<Record<string, unknown>>): AssertionKeys | undefined {
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
