/** Large headers: access tokens of identity providers list the groups and roles of a person. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type ExternalIssuer, startExternalIssuer } from '../support/external-issuer.ts'
import { postModern, read } from '../support/wire.ts'

let app: TestApp
let issuer: ExternalIssuer
beforeAll(async () => {
  issuer = await startExternalIssuer()
  app = await startApp({ env: { OAUTH_ISSUER: issuer.url, MCP_AUTH: 'required' } })
})
afterAll(async () => {
  await app.stop()
  await issuer.stop()
})

/** The status for a token with so many groups, each with an id as Entra lists it. */
async function statusFor(groups: number): Promise<number> {
  const ids = Array.from({ length: groups }, () => crypto.randomUUID())
  const token = await issuer.sign({ ...issuer.claims(`${app.url}/mcp`), groups: ids })
  const headers = { authorization: `Bearer ${token}` }
  return (await read(postModern(app.url, 'tools/list', {}, { headers }))).status
}

test.each([
  [1, 200],
  [200, 200],
  [500, 200],
  [1000, 431],
])('a token with %i groups: %i', async (groups, expected) => {
  expect(await statusFor(groups)).toBe(expected)
})
