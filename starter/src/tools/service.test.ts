/** `service`: its request to the bank, and its masked answer. */

import { UpstreamError } from '@mcp-template/server'
import { callTool, expectNoLeak } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import service from './service.ts'

const ACCOUNT = {
  id: 'acc-1815',
  owner: 'Ada Lovelace',
  accountNumber: '55555678',
  iban: 'GB33BUKB20201555555555',
  email: 'ada@example.com',
  balance: 1842.5,
  currency: 'GBP',
  internalRiskScore: 420042,
}
const SECRETS = [ACCOUNT.accountNumber, ACCOUNT.iban, ACCOUNT.email, 'internalRiskScore', '420042']

const signedIn = { signedInAs: { sub: 'ada' } }

test('returns the account, masked, without undeclared fields', async () => {
  const upstream = { 'GET /accounts/{id}': ACCOUNT }
  const result = await callTool(service, {}, { ...signedIn, upstream })
  expect(result.structuredContent).toEqual({
    id: 'acc-1815',
    owner: 'Ada Lovelace',
    accountNumber: '****5678',
    iban: 'GB33****************55',
    email: 'ad*********.com',
    balance: 1842.5,
    currency: 'GBP',
  })
  expectNoLeak(result, SECRETS)
})

test("reads the user's own account unless another one is named", async () => {
  const upstream = { 'GET /accounts/{id}': ACCOUNT }
  const own = await callTool(service, {}, { ...signedIn, upstream })
  expect(own.requests).toMatchObject([{ params: { id: 'me' } }])
  const named = await callTool(service, { accountId: 'acc-2' }, { ...signedIn, upstream })
  expect(named.requests).toMatchObject([{ params: { id: 'acc-2' } }])
})

test('requires a sign-in first, without a request to the bank', async () => {
  const result = await callTool(service, {})
  expect(result.code).toBe('login_required')
  expect(result.text).toContain('`login`')
  expect(result.requests).toEqual([])
})

test('continues by itself when the client opens the sign-in page', async () => {
  const upstream = { 'GET /accounts/{id}': ACCOUNT }
  const result = await callTool(service, {}, { opensUrl: 'accept', upstream })
  expect(result.openedUrls).toEqual([expect.stringMatching(/\/connect\/lnk_/)])
  expect(result.structuredContent).toMatchObject({ owner: 'Ada Lovelace' })
})

test('requires the scope service:read of callers with a token', async () => {
  const result = await callTool(service, {}, { ...signedIn, scopes: ['openid'] })
  expect(result.code).toBe('insufficient_scope')
  expect(result.requests).toEqual([])
})

test.each([
  ['upstream_not_found', 'nothing under that name'],
  ['upstream_rate_limited', 'too many requests'],
  ['upstream_failed', 'failed to answer'],
] as const)('reports %s of the bank', async (code, words) => {
  const upstream = { 'GET /accounts/{id}': new UpstreamError(code) }
  const result = await callTool(service, {}, { ...signedIn, upstream })
  expect(result.code).toBe(code)
  expect(result.text).toContain(words)
})

test('refuses an invalid response of the bank, without disclosing it', async () => {
  const upstream = { 'GET /accounts/{id}': { ...ACCOUNT, balance: 'a secret balance' } }
  const result = await callTool(service, {}, { ...signedIn, upstream })
  expect(result.code).toBe('invalid_output')
  expectNoLeak(result, [...SECRETS, 'a secret balance'])
})
