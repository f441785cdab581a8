/** The audit log: calls, sign-ins and authorizations of clients, without arguments and results. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shortHash } from '../../src/crypto/hash.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { callWith, login, newBrowser, signInAs } from '../support/sign-in.ts'

interface Event {
  readonly msg: string
  readonly stream?: string
  readonly [field: string]: unknown
}

const folder = mkdtempSync(join(tmpdir(), 'audit-'))
const file = join(folder, 'deep/audit.log')
let app: TestApp
let session: string
let events: readonly Event[]

const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Event)

/** Actions of people and clients in order, all of which are in the audit log afterwards. */
async function story(url: string): Promise<string> {
  const link = await login(url)
  await signInAs(newBrowser(), link)
  await callWith(url, link.session, 'service')
  await callWith(url, link.session, 'logout')
  const caller = await authorizeDirectCaller(url)
  await caller.call('tools/call', { name: 'session' })
  const client = await createOAuthClient(url)
  await (await client.openConsent()).decide('deny')
  const { access_token: access, refresh_token: refresh } = await client.connect()
  await client.revoke(access)
  await client.revoke(refresh)
  return link.session
}

beforeAll(async () => {
  app = await startApp({ env: { AUDIT_FILE: file } })
  session = await story(app.url)
  await app.stop()
  events = parsed(readFileSync(file, 'utf8').trimEnd().split('\n'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const find = (msg: string, fields: object = {}) =>
  events.find((event) =>
    Object.entries({ msg, ...fields }).every(([name, value]) => event[name] === value),
  )

describe('with a file of its own', () => {
  test('a call is recorded with its session, tool, outcome, duration and request', () => {
    expect(find('tool call', { tool: 'service' })).toEqual({
      ...{ level: 'info', time: expect.any(String), stream: 'audit', msg: 'tool call' },
      ...{ name: expect.any(String), version: expect.any(String), host: expect.any(String) },
      ...{ tool: 'service', outcome: 'ok', ms: expect.any(Number) },
      ...{ session: shortHash(session), requestId: expect.any(String) },
    })
  })

  test('a call with a token is recorded with the client of the token', () => {
    const client = find('client registered')?.client
    expect(client).toEqual(expect.any(String))
    expect(find('tool call', { tool: 'session', client })).toBeDefined()
  })

  test('signing in, signing out and authorizing a client are recorded', () => {
    const client = find('client registered')?.client
    expect(find('sign-in', { outcome: 'signed_in', session: shortHash(session) })).toBeDefined()
    expect(find('session ended', { session: shortHash(session), signedIn: true })).toBeDefined()
    expect(find('client authorized', { client })).toBeDefined()
    expect(find('token issued', { client, grantType: 'authorization_code' })).toBeDefined()
  })

  test('refusing a client, and revoking its tokens, is recorded', () => {
    const client = find('client refused')?.client
    expect(client).toEqual(expect.any(String))
    expect(find('token revoked', { client })).toBeDefined()
    expect(find('grant revoked', { client })).toBeDefined()
  })

  test('none of it holds arguments, results or ids', () => {
    const text = readFileSync(file, 'utf8')
    expect(text).not.toContain(session)
    expect(text).not.toContain('Ada')
    expect(text).not.toMatch(/ses_|5555/)
  })

  test('none of it is in the log', () => {
    expect(app.lines.filter((line) => line.includes('"stream":"audit"'))).toEqual([])
  })
})

test('without a file it is part of the log', async () => {
  const other = await startApp()
  const id = await story(other.url)
  await other.stop()
  const calls = parsed(other.lines).filter(({ stream }) => stream === 'audit')
  const call = { msg: 'tool call', tool: 'service', session: shortHash(id) }
  expect(calls).toContainEqual(expect.objectContaining(call))
})
