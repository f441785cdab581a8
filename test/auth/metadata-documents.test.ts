/** Clients that nobody registered: their id is the address of what they say of themselves (CIMD). */

import { expect, test } from 'vitest'
import { startMetadataClient } from '../support/metadata-client.ts'
import { REDIRECT_URI } from '../support/oauth-client.ts'

test('such a client is public, shown with its host, and asked for once', async () => {
  const { host, client } = await startMetadataClient((client_id) => ({
    client_id,
    client_name: 'An app of the web',
    redirect_uris: [REDIRECT_URI],
    scope: 'everything',
  }))
  const { page } = await client.ask()
  expect(page.text).toContain('An app of the web')
  expect(page.text).toContain(new URL(host.origin).host)
  const tokens = await client.connect()
  expect(await client.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
  expect(host.seen).toHaveLength(1)
})

test.each([
  ['of another client', () => ({ client_id: 'https://elsewhere.example/', redirect_uris: [] })],
  ['with a secret', (client_id: string) => ({ client_id, client_secret: 'x' })],
  [
    'with a redirect URI that is refused',
    (client_id: string) => ({ client_id, redirect_uris: ['http://evil.example/'] }),
  ],
])('a document %s makes no client', async (_what, document) => {
  const { client } = await startMetadataClient(document)
  const { page } = await client.ask()
  expect([page.url.pathname, page.status]).toEqual(['/authorize', 400])
})
