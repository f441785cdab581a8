/**
 * Lockout of a host's clients: a stranger has this server fetch ever new documents of the host, whose
 * limit then refuses the documents and the keys of everybody's clients.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mayFetchFrom } from '../../src/auth/document-cache.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { type SigningClient, startSigningClient } from '../support/signing-client.ts'

const STRANGER = '198.51.100.7'

describe('while a stranger requests ever new documents of a host', () => {
  let signer: SigningClient
  let app: TestApp
  beforeAll(async () => {
    signer = await startSigningClient()
    const env = { RATE_LIMIT: 'on', TRUSTED_PROXIES: '1' }
    app = await startApp({ env, documentCa: signer.host.ca })
  })
  afterAll(async () => {
    await app?.stop()
    await signer?.host.close()
  })

  async function requestDocument(path: string): Promise<number> {
    const { url } = (
      await createOAuthClient(app.url, { known: { client_id: signer.host.origin + path } })
    ).request()
    const headers = { 'x-forwarded-for': STRANGER }
    return (await fetch(url, { headers, redirect: 'manual' })).status
  }

  test('the stranger is refused, and clients of the host get tokens', async () => {
    const statuses: number[] = []
    for (let count = 0; count < 80; count += 1) {
      statuses.push(await requestDocument(`/none-${count}.json`))
    }
    expect(statuses.at(-1)).toBe(503)
    const client = await createOAuthClient(app.url, { known: { client_id: signer.id } })
    const authorized = await client.authorize()
    const tokens = await client.exchange(authorized, await signer.signed(app.url))
    expect(tokens).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
    expect(signer.requestCount('/jwks.json')).toBe(1)
  })
})

describe('the fetches from one host', () => {
  const at = (path: number) => `https://clients.example/${path}`

  test('of one network are few', async () => {
    const store = createMemoryStore()
    const may: boolean[] = []
    for (let path = 0; path < 100; path += 1)
      may.push(await mayFetchFrom(store, at(path), STRANGER))
    expect(may.filter(Boolean)).toHaveLength(65)
    expect(await mayFetchFrom(store, at(0), '203.0.113.9')).toBe(true)
  })

  test('of all networks together stay limited', async () => {
    const store = createMemoryStore()
    let fetched = 0
    for (let network = 0; network < 200; network += 1) {
      for (let path = 0; path < 5; path += 1) {
        if (await mayFetchFrom(store, at(path), `198.51.100.${network}`)) fetched += 1
      }
    }
    expect(fetched).toBe(300)
  })
})
