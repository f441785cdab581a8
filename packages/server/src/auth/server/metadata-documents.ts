/** Client ID metadata documents in the form that the library accepts (draft-ietf-oauth-client-id-metadata-document). */

import type { DocumentFetch } from '../document-fetch.ts'
import { assertionKeysIn } from './assertion-keys.ts'
import { ASSERTION_KEYS, authMethodsIn, isEmpty, SHARED_SECRET_METHODS } from './clients.ts'

type Metadata = Readonly<Record<string, unknown>>

/** Normalizes what `fetch` reads, before the library validates it. */
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
  // Without a secret it says nothing. A secret itself stays, and the library refuses the document.
  if (metadata.client_secret === undefined) delete metadata.client_secret_expires_at
  return {
    ...metadata,
    token_endpoint_auth_method: authMethodOf(metadata),
    [ASSERTION_KEYS]: assertionKeysIn(metadata),
  }
}

/**
 * `none` is the only method of documents that the library knows, always with PKCE; we verify the
 * assertions of those with keys. A document names what its client prefers, not what it requires. The draft forbids shared secrets (section 4.1), so the library refuses a document
 * that offers nothing else, and values of other types.
 */
function authMethodOf(metadata: Metadata): unknown {
  const { token_endpoint_auth_method: named } = metadata
  if (named !== undefined && typeof named !== 'string') return named
  const methods = authMethodsIn(metadata)
  const onlySecrets = methods.every((method) => SHARED_SECRET_METHODS.includes(method))
  return methods.length > 0 && onlySecrets ? methods[0] : 'none'
}
