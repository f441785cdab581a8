/** Accepted issuers and tenants of tokens, and their maximum age. */

import type { JWTPayload } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startTokenApp, type TokenApp, withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const TENANT = '11111111-2222-3333-4444-555555555555'

async function statusOf(app: TokenApp, claims: JWTPayload): Promise<number> {
  const headers = withToken(await app.issuer.sign(claims))
  return (await read(postModern(app.url, 'tools/list', {}, { headers }))).status
}

describe('the issuer of tokens', () => {
  async function startWith(env: Record<string, string>) {
    const own = await startTokenApp({ env })
    onTestFinished(() => own.stop())
    const claims = (iss: string) => ({ ...own.issuer.claims(`${own.url}/mcp`), iss })
    return { own, claims }
  }

  test('may have one slash more or less at its end', async () => {
    const { own, claims } = await startWith({})
    expect(await statusOf(own, claims(`${own.issuer.url}/`))).toBe(200)
    expect(await statusOf(own, claims(`${own.issuer.url}//`))).toBe(401)
  })

  test('may be another than that of the metadata, as in version 1 of Entra', async () => {
    const v1 = `https://sts.windows.net/${TENANT}/`
    const { own, claims } = await startWith({ OAUTH_TOKEN_ISSUERS: v1 })
    expect(await statusOf(own, claims(v1))).toBe(200)
    expect(await statusOf(own, claims(own.issuer.url))).toBe(401)
  })

  test('may be that of a tenant, of those that are named', async () => {
    const { own, claims } = await startWith({
      OAUTH_TOKEN_ISSUERS: 'https://login.example/{tenantid}/v2.0',
      OAUTH_TENANTS: TENANT,
    })
    const of = (tenant: string) => claims(`https://login.example/${tenant}/v2.0`)
    expect(await statusOf(own, { ...of(TENANT), tid: TENANT })).toBe(200)
    for (const forged of [
      { ...of('other'), tid: 'other' },
      { ...of('other'), tid: TENANT },
      { ...of(TENANT), tid: 'other' },
      of(TENANT),
      { ...of('{tenantid}'), tid: TENANT },
    ]) {
      expect(await statusOf(own, forged)).toBe(401)
    }
  })
})

test('the age at which a token is refused is configured', async () => {
  const own = await startTokenApp({ env: { OAUTH_TOKEN_MAX_AGE: '120' } })
  onTestFinished(() => own.stop())
  const claims = own.issuer.claims(`${own.url}/mcp`)
  expect(await statusOf(own, { ...claims, iat: (claims.iat ?? 0) - 60 })).toBe(200)
  expect(await statusOf(own, { ...claims, iat: (claims.iat ?? 0) - 200 })).toBe(401)
})
