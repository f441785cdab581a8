/**
 * Normalizes client ID metadata documents (draft-ietf-oauth-client-id-metadata-document) to the
 * form that the library accepts.
 */

import type { DocumentFetch } from '../document-fetch.ts'
import { assertionKeysIn } from './assertion-keys.ts'
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
