/** `LOGIN=at-authorize` with several upstreams: people sign in at the first, and at others when a tool needs it. */

import { expect, test } from 'vitest'
import { errorCode, structured } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { startSeveral } from '../support/several-upstreams.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'

test('authorizing signs in at the first only', async () => {
  const { url } = await startSeveral({ LOGIN: 'at-authorize' })
  const client = await createOAuthClient(url)
  const { browser, verifier, decide } = await client.openConsent()
  const choice = await decide('allow')
  const end = await browser.open(choice.url, { person: 'ada' })
  const code = end.url.searchParams.get('code') ?? ''
  const { body } = await client.exchange({ code, verifier })
  const call = async (name: string, args: object = {}) => {
    const headers = { authorization: `Bearer ${body.access_token}` }
    const params = { name, arguments: args }
    const { message } = await read(postModern(url, 'tools/call', params, { headers }))
    return message.result ?? {}
  }
  expect(errorCode(await call('both'))).toBe('login_required')
  const link = structured<SignInLink>(await call('login', { upstream: 'staff' }))
  await signInAs(newBrowser(), link, 'grace')
  expect(structured(await call('both'))).toEqual({ first: 'Ada Lovelace', second: 'Grace Hopper' })
})
