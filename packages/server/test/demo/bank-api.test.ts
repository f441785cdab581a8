/** The sample API: it verifies tokens and the owner of an account. */

import { beforeAll, expect, test } from 'vitest'
import { createDemoBankApi } from '../../src/demo/bank-api.ts'
import { PEOPLE } from '../../src/demo/people.ts'

const [ada] = PEOPLE
let api: ReturnType<typeof createDemoBankApi>
beforeAll(() => {
  api = createDemoBankApi({
    verifyToken: async (token) => (token === 'adas-token' ? ada : undefined),
  })
})

function get(path: string, authorization?: string) {
  return api.request(path, authorization === undefined ? {} : { headers: { authorization } })
}

test.each(['me', 'acc-1815'])("returns the caller's own account as %s", async (id) => {
  const response = await get(`/accounts/${id}`, 'Bearer adas-token')
  expect(await response.json()).toEqual({
    id: 'acc-1815',
    owner: 'Ada Lovelace',
    email: 'ada@example.com',
    iban: 'GB33BUKB20201555555555',
    accountNumber: '55555555',
    balance: 1842.5,
    currency: 'GBP',
    internalRiskScore: 12,
  })
})

test('lists the transactions', async () => {
  const response = await get('/accounts/me/transactions', 'Bearer adas-token')
  const list: unknown = await response.json()
  expect(list).toHaveLength(3)
  expect(list).toContainEqual({
    id: 'tx-103',
    date: '2026-03-14',
    description: 'Analytical Engines Ltd',
    amount: 950,
  })
})

test.each(['/accounts/acc-1906', '/accounts/acc-1906/transactions'])(
  "refuses another user's %s",
  async (path) => {
    expect((await get(path, 'Bearer adas-token')).status).toBe(403)
  },
)

test.each(['/accounts/nobody', '/accounts/nobody/transactions', '/else', '/accounts'])(
  'does not find %s',
  async (path) => {
    expect((await get(path, 'Bearer adas-token')).status).toBe(404)
  },
)

test.each([undefined, '', 'Basic YTpi', 'Bearer', 'Bearer a b'])(
  'requires a token when the header is %j',
  async (authorization) => {
    const response = await get('/accounts/me', authorization)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="demo bank"')
  },
)

test('refuses an unknown token, for unknown accounts too', async () => {
  for (const path of ['/accounts/me', '/accounts/nobody']) {
    const response = await get(path, 'Bearer other')
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
  }
})
