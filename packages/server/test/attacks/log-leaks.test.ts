/** A complete flow at trace level leaves no secret in the log. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { formsOf } from '../../src/testing/leaks.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS } from '../support/clients.ts'
import { failingStore } from '../support/failing-store.ts'
import {
  callWith,
  codeIn,
  enterCode,
  login,
  newBrowser,
  signInAs,
  stopBeforeCallback,
  WRONG_CODE,
} from '../support/sign-in.ts'
import { recordTraffic, type Traffic } from '../support/traffic.ts'
import { connect, post, postModern, postText, read, request } from '../support/wire.ts'

const store = failingStore()
let traffic: Traffic
let app: TestApp
beforeAll(async () => {
  traffic = recordTraffic()
  app = await startApp({ store })
})
afterAll(async () => {
  traffic.stop()
  await app.stop()
})

/** Signing in by elicitation, and reading the account. */
async function clientsSignIn() {
  for (const era of ERAS) {
    const { client } = await connectClient(app.url, era, {
      async onUrl(url, message) {
        await signInAs(newBrowser(), { url, code: codeIn(message) }, 'grace')
        return 'accept'
      },
    })
    await client.callTool({ name: 'service', arguments: {} })
    await client.callTool({ name: 'session', arguments: {} })
    await client.callTool({ name: 'service', arguments: { accountId: 'acc-1815' } })
    await client.close()
  }
}

/** Signing in by hand, with everything that can go wrong at the pages. */
async function peopleMakeMistakes() {
  const link = await login(app.url)
  await enterCode(newBrowser(), link.url, WRONG_CODE)
  const { browser, callback } = await stopBeforeCallback(app, link)
  await newBrowser().open(callback)
  await browser.open(callback)
  const cancelled = await stopBeforeCallback(app, await login(app.url), { cancel: 'yes' })
  await cancelled.browser.open(cancelled.callback)
  const spoiled = await stopBeforeCallback(app, await login(app.url))
  spoiled.callback.searchParams.set('code', 'a-code-that-was-made-up')
  const cookie = spoiled.browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  await (await fetch(spoiled.callback, { headers: { cookie } })).text()
  const good = await login(app.url)
  await signInAs(newBrowser(), good)
  await callWith(app.url, good.session, 'service')
  await callWith(app.url, good.session, 'logout')
  await callWith(app.url, good.session, 'service')
}

/** Messages that are refused, with ids in all the wrong places. */
async function clientsMisbehave() {
  const headers = await connect(app.url)
  const { session } = await login(app.url)
  const id = headers['mcp-session-id']
  for (const secret of [id, session]) {
    await read(post(app.url, request('tools/call', { name: secret }, secret), headers))
    await read(post(app.url, request(secret), headers))
    await read(postText(app.url, `{"${secret}`, headers))
    await read(post(app.url, request('ping'), { ...headers, 'mcp-protocol-version': secret }))
    await read(post(app.url, request('ping'), { authorization: `Bearer ${secret}` }))
    await read(post(app.url, request('ping'), { 'x-request-id': secret }))
    await read(postModern(app.url, secret, { name: secret }))
    await read(fetch(`${app.url}/${secret}?session=${secret}`))
    await read(fetch(`${app.url}/connect/${secret}`))
    await read(fetch(`${app.url}/callback?state=${secret}&code=${secret}`))
  }
  store.disconnect()
  await read(post(app.url, request('ping'), headers))
  await read(postModern(app.url, 'tools/call', { name: 'session', arguments: { session } }))
  store.reconnect()
  await fetch(`${app.url}/mcp`, { method: 'DELETE', headers })
  await read(post(app.url, request('ping'), headers))
}

/** Also without the prefix of an id, and without the dash of a code. */
function forms(secret: string): string[] {
  return [secret, secret.replace(/^[a-z]+_/, ''), secret.replace('-', '')].flatMap(formsOf)
}

test('no secret of a complete flow is in the log', async () => {
  await clientsSignIn()
  await peopleMakeMistakes()
  await clientsMisbehave()

  const secrets = traffic.secrets()
  const kinds = new Set(secrets.values())
  for (const kind of [
    'connection id',
    'session handle',
    'link handle',
    'code from the chat',
    'request state',
    'code',
    'state',
    'nonce',
    'code_verifier',
    'access_token',
    'refresh_token',
    'id_token',
    'client_secret',
    'cookie',
  ]) {
    expect(kinds).toContain(kind)
  }
  // Values that tools mask are not in the recorded traffic; they are known from the demo.
  const all = [
    ...secrets,
    ['55555555', 'account number'],
    ['1245126199', 'account number'],
  ] as const
  expect(all.length).toBeGreaterThan(60)

  expect(app.lines.length).toBeGreaterThan(100)
  for (const [secret, kind] of all) expect(leaksOf(secret, kind, app.lines)).toEqual([])
  for (const [secret, kind] of all) {
    const inBase64 = Buffer.from(secret).toString('base64')
    expect(leaksOf(secret, kind, [`{"msg":"found ${secret}"}`, inBase64])).not.toEqual([])
  }
})

function leaksOf(secret: string, kind: string, lines: readonly string[]): string[] {
  const log = lines.join('')
  return forms(secret)
    .filter((form) => log.includes(form))
    .map((form) => `${kind}: ${lines.find((line) => line.includes(form))}`)
}

test('the log still shows what happened, and which lines belong together', () => {
  const lines = app.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.some(({ msg, status }) => msg === 'request' && status === 200)).toBe(true)
  expect(lines.some(({ msg, tool }) => msg === 'tool call' && tool === 'service')).toBe(true)
  expect(lines.some(({ session }) => /^[\w-]{8}$/.test(String(session)))).toBe(true)
  for (const line of lines.filter(({ msg }) => msg === 'request')) {
    expect(line).toMatchObject({ requestId: expect.any(String), route: expect.any(String) })
  }
})
