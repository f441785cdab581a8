/** `/callback` for a sign-in that began on a page of this server: redirects back to that page. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { createHttpServer, type HttpHandlers, listen } from '../../src/http/http-server.ts'
import { createRuntime, type Runtime } from '../../src/runtime.ts'
import { httpHandlers } from '../../src/serve-http.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { recordingLogger } from '../logger/lines.ts'
import { bankCatalog } from '../support/app.ts'
import { createBrowser } from '../support/sign-in.ts'

const store = createMemoryStore()
const sessions = new SessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
let handlers: HttpHandlers | undefined
const { server, drain } = createHttpServer(() => handlers)
let runtime: Runtime
let publicUrl: string

beforeAll(async () => {
  publicUrl = `http://localhost:${await listen(server, '127.0.0.1', 0)}`
  const env = { NODE_ENV: 'test' }
  const deps = {
    ...loadConfig({ env, cwd: import.meta.dirname }),
    log: recordingLogger().log,
    catalog: await bankCatalog(),
    pagesReady: async () => undefined,
  }
  runtime = await createRuntime({ ...deps, store, publicUrl, transport: 'http' })
  handlers = httpHandlers(runtime)
})
afterAll(async () => {
  await drain(1000)
  await runtime.close()
})

/** Begins as a consent page does; stops before the redirect of the provider. */
async function begun(form: Record<string, string>) {
  const { id } = await sessions.create('token')
  const purpose = { sessionId: id, clientName: 'a client', returnTo: '/consent/abc?step=2' }
  const { url, cookie } = await runtime.signIn.begin(purpose)
  const browser = createBrowser(`${publicUrl}/callback`)
  const choice = await browser.open(url)
  const { url: callback } = await browser.open(choice.url, form)
  return { id, callback, cookie: `${cookie.name}=${cookie.value}` }
}

const follow = (callback: URL, cookie: string) =>
  fetch(callback, { headers: { cookie }, redirect: 'manual' })

test('after success, which the session shows and the URL does not', async () => {
  const { id, callback, cookie } = await begun({ person: 'ada' })
  const response = await follow(callback, cookie)
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe(`${publicUrl}/consent/abc?step=2`)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.getSetCookie().join()).toMatch(/Max-Age=0/)
  expect(await sessions.peek(id)).toMatchObject({ state: 'authenticated' })
})

test('after a failure, with its name', async () => {
  const { id, callback, cookie } = await begun({ cancel: 'yes' })
  const response = await follow(callback, cookie)
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe(
    `${publicUrl}/consent/abc?step=2&sign_in=access_denied`,
  )
  expect(await sessions.peek(id)).toMatchObject({ state: 'anonymous' })
})

test('when the session has ended meanwhile', async () => {
  const { id, callback, cookie } = await begun({ person: 'ada' })
  await sessions.end(id)
  const response = await follow(callback, cookie)
  expect(response.headers.get('location')).toMatch(/sign_in=session_ended$/)
})

test('but not for another browser', async () => {
  const { id, callback, cookie } = await begun({ person: 'ada' })
  expect((await follow(callback, 'mcp-sign-in=x')).status).toBe(403)
  expect((await follow(callback, cookie)).status).toBe(400)
  expect(await sessions.peek(id)).toMatchObject({ state: 'anonymous' })
})
