/** `login`: returns a link and a code, and a handle to callers that need one. */

import { expect, test } from 'vitest'
import login from '../../src/tools/login.ts'
import { callTool } from '../support/tools.ts'

interface LoginResult {
  readonly url: string
  readonly code: string
  readonly expiresAt: string
  readonly session: string
}

test('returns a link, its code, its expiry, and the session to pass as an argument', async () => {
  const result = await callTool(login, {})
  const { url, code, expiresAt, session } = result.structuredContent as unknown as LoginResult
  expect(url).toMatch(/^https:.*\/connect\/lnk_[\w-]{43}$/)
  expect(code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now())
  expect(session).toMatch(/^ses_[\w-]{43}$/)
})

test('returns a new link each time', async () => {
  const [first, second] = await Promise.all([callTool(login, {}), callTool(login, {})])
  expect(first.structuredContent?.url).not.toBe(second.structuredContent?.url)
  expect(first.structuredContent?.code).not.toBe(second.structuredContent?.code)
})

test('signs nobody in by itself', async () => {
  expect((await callTool(login, {})).session.state).toBe('anonymous')
})

test('permits a signed-in user to sign in again', async () => {
  const result = await callTool(login, {}, { signedInAs: { sub: 'ada' } })
  expect(result.isError).toBe(false)
  expect(result.session.state).toBe('authenticated')
})

test('keeps link, code and handle out of the log', async () => {
  const { structuredContent, log } = await callTool(login, {})
  const { url, code, session } = structuredContent as unknown as LoginResult
  const said = JSON.stringify(log)
  for (const secret of [url, code, session]) expect(said).not.toContain(secret)
})
