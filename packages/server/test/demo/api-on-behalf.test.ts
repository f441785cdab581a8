/** Sign-in, API client and bank together, without the rest of the server. */

import { expect, test } from 'vitest'
import { createApiClient } from '../../src/upstream/api-client.ts'
import type { Credentials } from '../../src/upstream/identity-provider.ts'
import { createOpenIdProvider } from '../../src/upstream/openid-client.ts'
import {
  callbackAfter,
  type Demo,
  newCheck,
  REDIRECT_URI,
  signIn,
  startDemo,
} from './demo-server.ts'

/** The bank on behalf of the signed-in user; refreshes as the server does. */
function bankFor(demo: Demo, credentials: Credentials) {
  const client = createApiClient(
    { baseUrl: demo.api, userAgent: 'test/1' },
    { now: Date.now, sleep: async () => {}, random: Math.random },
  )
  let current = credentials
  return client.forCaller({
    async accessToken({ forceRefresh } = {}) {
      if (forceRefresh) current = await demo.provider.refresh(current)
      return current.accessToken
    },
  })
}

test("reads the user's own account and no other", async () => {
  const demo = await startDemo()
  const bank = bankFor(demo, await signIn(demo, 'grace'))
  expect(await bank.get('/accounts/{id}', { id: 'me' })).toMatchObject({ owner: 'Grace Hopper' })
  const other = bank.get('/accounts/{id}', { id: 'acc-1815' })
  await expect(other).rejects.toMatchObject({ code: 'upstream_rejected', status: 403 })
  const unknown = bank.get('/accounts/{id}', { id: 'nobody' })
  await expect(unknown).rejects.toMatchObject({ code: 'upstream_not_found' })
})

test('continues with a new token when the bank refuses the old one', async () => {
  const demo = await startDemo()
  const credentials = await signIn(demo)
  const bank = bankFor(demo, { ...credentials, accessToken: 'no-longer-good' })
  expect(await bank.get('/accounts/me')).toMatchObject({ owner: 'Ada Lovelace' })
})

test('requires a sign-in again once everything is revoked', async () => {
  const demo = await startDemo()
  const credentials = await signIn(demo)
  const bank = bankFor(demo, credentials)
  await demo.provider.revoke(credentials)
  await expect(bank.get('/accounts/me')).rejects.toMatchObject({ code: 'invalid_grant' })
})

test('works with a provider configured by its endpoints, too', async () => {
  const demo = await startDemo()
  const { issuer, clientId, clientSecret } = demo.idp
  const provider = createOpenIdProvider(
    {
      authorizationEndpoint: `${issuer}/auth`,
      tokenEndpoint: `${issuer}/token`,
      revocationEndpoint: `${issuer}/token/revocation`,
      userinfoEndpoint: `${issuer}/me`,
      clientId,
      clientSecret,
      scopes: ['openid', 'profile'],
      allowInsecureHttp: true,
    },
    { fetch, now: Date.now },
  )
  const plain: Demo = { ...demo, provider }
  const check = newCheck()
  const url = await callbackAfter(plain, check, { person: 'ada' })
  const credentials = await provider.exchange(url, REDIRECT_URI, check)
  expect(credentials.account).toMatchObject({ sub: 'ada', name: 'Ada Lovelace' })
  const bank = bankFor(plain, await provider.refresh(credentials))
  expect(await bank.get('/accounts/me')).toMatchObject({ owner: 'Ada Lovelace' })
  await provider.revoke(credentials)
  await expect(bank.get('/accounts/me')).rejects.toMatchObject({ code: 'invalid_grant' })
})
