/** Names of `Object.prototype` are found only if they are declared. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectCaller } from '../support/direct.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { PROTOCOL_CATALOG, sendRequest } from '../support/wire.ts'

const NAMES = ['toString', 'constructor', '__proto__', 'hasOwnProperty', 'valueOf', 'isPrototypeOf']
const ERAS = ['2025-11-25', '2026-07-28']
const UNKNOWN = 'unknown'

type Request = (name: string) => readonly [method: string, params: Record<string, unknown>]

const completion = (ref: object, argument = 'name'): ReturnType<Request> => [
  'completion/complete',
  { ref, argument: { name: argument, value: '' } },
]

const REQUESTS: Readonly<Record<string, Request>> = {
  'a tool': (name) => ['tools/call', { name, arguments: {} }],
  'a prompt': (name) => ['prompts/get', { name }],
  'a prompt to complete': (name) => completion({ type: 'ref/prompt', name }),
  'an argument to complete': (name) => completion({ type: 'ref/prompt', name: 'greet' }, name),
  'a template to complete': (uri) => completion({ type: 'ref/resource', uri }),
  'a resource': (uri) => ['resources/read', { uri }],
  'a resource to subscribe to': (uri) => ['resources/subscribe', { uri }],
  'a method': (name) => [name, {}],
}

let app: TestApp
let direct: DirectCaller
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  direct = await authorizeDirectCaller(app.url)
})
afterAll(() => app.stop())

/** The response without the requested name. */
const withoutName = (value: unknown, name: string) =>
  JSON.stringify(value).replaceAll(name, UNKNOWN)

describe.each(Object.entries(REQUESTS))('%s', (_what, requestOf) => {
  test.each(ERAS)('%s: has the response of any unknown name', async (era) => {
    const answer = async (name: string) => {
      const { status, message } = await sendRequest(app.url, era, ...requestOf(name))
      return [status, withoutName(message, name)]
    }
    const expected = await answer(UNKNOWN)
    for (const name of NAMES) expect(await answer(name)).toEqual(expected)
  })

  test('direct calls: the same', async () => {
    const answer = async (name: string) => {
      const { status, body } = await direct.call(...requestOf(name))
      return [status, withoutName(body, name)]
    }
    const expected = await answer(UNKNOWN)
    expect(expected[0]).not.toBe(500)
    for (const name of NAMES) expect(await answer(name)).toEqual(expected)
  })
})

test.each(ERAS)('%s: tools and prompts may have such names', async (era) => {
  const catalogDirectory = join(import.meta.dirname, '../fixtures/names')
  const own = await startApp({ catalogDirectory })
  for (const name of ['constructor', '__proto__']) {
    const { message } = await sendRequest(own.url, era, 'tools/call', { name, arguments: {} })
    expect(message.result?.structuredContent).toEqual({ name })
  }
  const { message } = await sendRequest(own.url, era, 'tools/list')
  for (const name of ['constructor', '__proto__']) {
    expect(message.result?.tools).toContainEqual(expect.objectContaining({ name }))
  }
  const prompt = { name: 'constructor', arguments: { who: 'Ada' } }
  expect((await sendRequest(own.url, era, 'prompts/get', prompt)).message.result).toMatchObject({
    messages: [{ content: { text: 'Hello Ada' } }],
  })
  const ref = { type: 'ref/prompt', name: 'constructor' }
  const completed = await sendRequest(own.url, era, ...completion(ref, 'who'))
  expect(completed.message.result?.completion).toMatchObject({ values: ['Ada'] })
  await own.stop()
})

test.each(NAMES)(
  'the decision %s of a consent page is refused, and grants nothing',
  async (name) => {
    const { page, browser } = await (await createOAuthClient(app.url)).openConsent()
    const refused = await browser.open(page.url, { decision: name })
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([400, null])
    expect((await browser.open(page.url)).text).toContain('<h1>Authorize ')
  },
)
