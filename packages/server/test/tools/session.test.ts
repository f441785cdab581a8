/** `session`: the signed-in user, and the end of the session. */

import { expect, test } from 'vitest'
import session from '../../src/tools/session.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

const ADA = { sub: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' }

test('returns the signed-in user, with the email address masked', async () => {
  const result = await callTool(session, {}, { signedInAs: ADA })
  expect(result.structuredContent).toEqual({
    state: 'authenticated',
    name: 'Ada Lovelace',
    email: 'ad*********.com',
    connectedAt: expect.any(String),
    expiresAt: expect.any(String),
  })
  expectNoLeak(result, [ADA.email])
})

test('returns that nobody is signed in', async () => {
  const { structuredContent } = await callTool(session, {})
  expect(structuredContent).toMatchObject({ state: 'anonymous' })
  expect(structuredContent?.name).toBeUndefined()
})

test('returns when the session ends: later than it began', async () => {
  const { structuredContent } = await callTool(session, {})
  const { connectedAt, expiresAt } = structuredContent as Record<string, string>
  expect(Date.parse(expiresAt ?? '')).toBeGreaterThan(Date.parse(connectedAt ?? ''))
})

test('omits unknown fields, in TOON, too', async () => {
  const result = await callTool(session, {}, { textFormat: 'toon' })
  expect(result.text).toMatch(/^state: anonymous\n/)
  expect(result.text).not.toMatch(/name|email|null/)
})
