/** Client ID metadata documents (CIMD): whether the server can fetch them. */

import { type Finding, ok, skipped, warning } from '../findings.ts'
import { ask, objectIn } from '../http.ts'
import { needsServer } from '../needs.ts'
import { authorizeUrl, open } from '../oauth.ts'
import type { Check, ServerMetadata, Visit } from '../visit.ts'

export const documents: Check = {
  id: 'documents',
  title: 'Clients with a metadata document',
  run: needsServer(async (visit, server) => {
    if (server.client_id_metadata_document_supported !== true) {
      return [skipped('The server reads no metadata documents.')]
    }
    const documented = visit.profiles.filter(({ document }) => document !== undefined)
    if (documented.length === 0) return [skipped('None of these clients has a document.')]
    return Promise.all(
      documented.map(({ title, document }) => tryDocument(visit, server, title, document ?? '')),
    )
  }),
}

async function tryDocument(
  visit: Visit,
  server: ServerMetadata,
  title: string,
  document: string,
): Promise<Finding> {
  const seen = await ask(document).catch(() => undefined)
  const { client_id: id, redirect_uris: uris } = objectIn(seen ?? { text: '' })
  if (seen?.status !== 200 || id !== document || !Array.isArray(uris)) {
    return skipped(
      `The document of ${title} (${document}) cannot be read from here, and was not tested.`,
    )
  }
  const redirectUri = String(uris[0])
  const { to } = await open(authorizeUrl(visit, server, { id: document, redirectUri }), redirectUri)
  if (to === 'person') {
    return ok(
      `The server accepts the document of ${title} (${document}). The client itself was not tested.`,
    )
  }
  return warning(
    `The server does not accept the document of ${title} (${document}); a client that cannot register instead fails.`,
    'Let the nodes reach the internet by https, directly or by HTTPS_PROXY, and resolve names themselves.',
  )
}
