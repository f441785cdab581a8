/** Sign-in links that are requested concurrently belong to one session. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { connect, post, read, request } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

test('every link of parallel logins after a logout signs the MCP session in', async () => {
  for (const chosen of [0, 7]) {
    const headers = await connect(app.url)
    const call = async (name: string, id = 1) => {
      const { message } = await read(post(app.url, request('tools/call', { name }, id), headers))
      return message.result ?? {}
    }
    await call('logout')
    const logins = await Promise.all(Array.from({ length: 8 }, (_, id) => call('login', id)))
    const link = structured<SignInLink>(logins[chosen] ?? {})
    await signInAs(newBrowser(), link)
    expect(structured(await call('session'))).toMatchObject({ state: 'authenticated' })
  }
})

test('a subscription to a too long URI is refused and not stored', async () => {
  const headers = await connect(app.url)
  const uri = `bank://${'x'.repeat(3000)}`
  const { message } = await read(post(app.url, request('resources/subscribe', { uri }), headers))
  expect(message.error).toMatchObject({ code: -32602 })
})
