/** `logout`: ends the session, and revokes its upstream tokens. */

import { expect, test } from 'vitest'
import logout from '../../src/tools/logout.ts'
import { callTool } from '../support/tools.ts'

test('ends the session and revokes its credentials upstream', async () => {
  const result = await callTool(logout, {}, { signedInAs: { sub: 'ada' } })
  expect(result.structuredContent).toEqual({ ended: true })
  expect(result.session).toMatchObject({ state: 'expired', revoked: true })
})

test('ends a session in which nobody signed in, with nothing to revoke', async () => {
  const result = await callTool(logout, {})
  expect(result.structuredContent).toEqual({ ended: true })
  expect(result.session).toMatchObject({ state: 'expired', revoked: false })
})

test('deletes the values of tools', async () => {
  const result = await callTool(logout, {}, { sessionData: { cart: ['apple'] } })
  expect(result.session.data).toEqual({})
})
