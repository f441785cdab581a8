/** Clients that are identified by their metadata documents (CIMD). */

import { expect, test } from 'vitest'
import { createDocumentFetch } from '../../src/auth/document-fetch.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startMetadataClient } from '../support/metadata-client.ts'
import { createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'

test('such a client is public and shown with its host; its document is fetched once', async () => {
  const { host, client } = await startMetadataClient((client_id) => ({
    client_id,
    client_name: 'An app of the web',
    redirect_uris: [REDIRECT_URI],
    scope: 'everything',
  }))
  const { page } = await client.openConsent()
  expect(page.text).toContain('An app of the web')
  expect(page.text).toContain(new URL(host.origin).host)
  const tokens = await client.connect()
  expect(await client.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
  expect(host.seen).toHaveLength(1)
})

test('a client whose document cannot be fetched now gets 503', async () => {
  const { host, client, url } = await startMetadataClient((client_id) => ({
    client_id,
    redirect_uris: [REDIRECT_URI],
  }))
  const { refresh_token: token } = await client.connect()
  for (let n = 0; n < 62; n += 1) {
    const params = new URLSearchParams({ client_id: `${host.origin}/c${n}` })
    await fetch(`${url}/authorize?${params}`, { redirect: 'manual' })
  }
  const other = await createOAuthClient(url, { known: { client_id: `${host.origin}/other.json` } })
  for (const answer of [
    await other.refresh('unknown'),
    await other.revoke('unknown'),
    await other.introspect('unknown'),
  ]) {
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    expect(answer.headers.get('retry-after')).toBe('1')
  }
  expect(await client.refresh(token)).toMatchObject({ status: 200 })
})

test.each([
  ['of another client', () => ({ client_id: 'https://elsewhere.example/', redirect_uris: [] })],
  ['with a secret', (client_id: string) => ({ client_id, client_secret: 'x' })],
  [
    'with a redirect URI that is refused',
    (client_id: string) => ({ client_id, redirect_uris: ['http://evil.example/'] }),
  ],
])('a document %s is refused', async (_what, document) => {
  const { client } = await startMetadataClient(document)
  const { page } = await client.openConsent()
  expect([page.url.pathname, page.status]).toEqual(['/authorize', 400])
})

test.each(['https://example.com', 'https://example.com?x=/', 'HTTPS://example.com/client.json'])(
  '%s is not the URL of a document',
  async (clientId) => {
    const documents = createDocumentFetch({ store: createMemoryStore(), now: Date.now })
    expect(await documents.allowFetch({}, clientId)).toBe(false)
  },
)
