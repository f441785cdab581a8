/** Limits of subscriptions, the same in both eras, and only to existing resources. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listenTo, withMethod } from '../support/event-reader.ts'
import {
  connect,
  type HeaderFields,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const MOST = 200
const LONGEST = 2048

let app: TestApp
const open: Listening[] = []
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env: { RATE_LIMIT: 'off' } })
})
afterEach(async () => {
  for (const stream of open.splice(0)) {
    stream.close()
    await stream.ended
  }
})
afterAll(() => app.stop())

/** A URI of so many bytes that matches `test://list/{items*}/{more*}`. */
const uriOf = (bytes: number, index = 0, letter = 'a') => {
  const start = `test://list/${index}/`
  return start + letter.repeat((bytes - start.length) / Buffer.byteLength(letter))
}
const urisOf = (count: number, bytes = 40) =>
  Array.from({ length: count }, (_, index) => uriOf(bytes, index))

const listenFor = (notifications: unknown, options = {}) =>
  postModern(app.url, 'subscriptions/listen', { notifications }, options)

async function acknowledged(notifications: object, options = {}) {
  const stream = await listenTo((signal) => listenFor(notifications, { ...options, signal }))
  open.push(stream)
  const { message } = await stream.until(withMethod('notifications/subscriptions/acknowledged'))
  return message?.params?.notifications
}

describe('subscriptions/listen', () => {
  test('accepts as many URIs, of as many bytes, as resources/subscribe', async () => {
    const resourceSubscriptions = urisOf(MOST, LONGEST)
    expect(await acknowledged({ resourceSubscriptions })).toEqual({ resourceSubscriptions })
    const letters = [uriOf(LONGEST, 1, 'é')]
    expect(Buffer.byteLength(letters[0] ?? '')).toBe(LONGEST)
    expect(await acknowledged({ resourceSubscriptions: letters })).toEqual({
      resourceSubscriptions: letters,
    })
  })

  test.each([
    ['one URI more', urisOf(MOST + 1)],
    ['one URI many times', Array(MOST + 1).fill(uriOf(40))],
    ['9,000 URIs', Array(9000).fill('x')],
    ['a URI of one byte more', [uriOf(LONGEST + 1)]],
    ['a URI of more bytes than letters', [uriOf(LONGEST + 2, 1, 'é')]],
    ['a long URI that is not a resource', ['x'.repeat(LONGEST + 1)]],
    ['values that are not URIs', [1, 2]],
  ])('%s: 400 and -32602', async (_what, resourceSubscriptions) => {
    const { status, message } = await read(listenFor({ resourceSubscriptions }))
    expect([status, message.error?.code]).toEqual([400, -32602])
  })

  test('a long id: 400 and -32600', async () => {
    const filter = { toolsListChanged: true }
    expect(await acknowledged(filter, { id: 'i'.repeat(256) })).toEqual(filter)
    const { status, message } = await read(listenFor(filter, { id: 'i'.repeat(257) }))
    expect([status, message.error?.code]).toEqual([400, -32600])
  })

  test('acknowledges existing resources, once', async () => {
    const requested = ['test://note', 'test://none', 'test://note', 'test://broken/1', 'note', '']
    expect(
      await acknowledged({ resourceSubscriptions: requested, promptsListChanged: true }),
    ).toEqual({
      promptsListChanged: true,
      resourceSubscriptions: ['test://note', 'test://broken/1'],
    })
  })

  test('ends at once if none of the resources exists', async () => {
    const { messages } = await read(listenFor({ resourceSubscriptions: ['test://none'] }))
    expect(messages[0]?.params?.notifications).toEqual({})
    expect(messages[1]).toMatchObject({ id: 1, result: {} })
  })

  test('one caller occupies at most 16 MiB of a node, all of which is released afterwards', async () => {
    const resourceSubscriptions = urisOf(MOST, LONGEST)
    const fits = Math.floor((16 * 1024 * 1024) / (MOST * LONGEST))
    for (let count = 0; count < fits; count += 1) await acknowledged({ resourceSubscriptions })
    const { status } = await read(listenFor({ resourceSubscriptions }))
    expect(status).toBe(429)
    for (const stream of open.splice(0)) {
      stream.close()
      await stream.ended
    }
    const again = () => read(listenFor({ resourceSubscriptions: ['test://none'] }))
    await expect.poll(async () => (await again()).status).toBe(200)
    await expect
      .poll(async () => {
        const stream = await listenTo((signal) => listenFor({ resourceSubscriptions }, { signal }))
        open.push(stream)
        return stream.response.status
      })
      .toBe(200)
  })

  test('105,000 URIs are too many values already: 400', async () => {
    const { status } = await read(listenFor({ resourceSubscriptions: Array(105_000).fill('x') }))
    expect(status).toBe(400)
  })

  test('a stream keeps nothing else of its request in memory', async () => {
    const many = 30
    const junk = { 'x/y': 'j'.repeat(400_000) }
    await acknowledged({ toolsListChanged: true }, { meta: junk })
    const held = () => {
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = held()
    for (let count = 0; count < many; count += 1) {
      await acknowledged({ toolsListChanged: true, junk: 'j'.repeat(50_000) }, { meta: junk })
    }
    expect((held() - before) / many).toBeLessThan(100_000)
  })
})

describe('resources/subscribe', () => {
  const subscribe = (headers: HeaderFields, uri: string, method = 'resources/subscribe') =>
    read(post(app.url, request(method, { uri }), headers))

  test('limits the number and size of URIs', async () => {
    const headers = await connect(app.url)
    for (const uri of urisOf(MOST, LONGEST)) {
      expect((await subscribe(headers, uri)).message.result).toEqual({})
    }
    // A URI that is already subscribed does not count again.
    expect((await subscribe(headers, uriOf(LONGEST, 7))).message.result).toEqual({})
    expect((await subscribe(headers, 'test://note')).message.error?.code).toBe(-32602)
    await subscribe(headers, uriOf(LONGEST, 7), 'resources/unsubscribe')
    expect((await subscribe(headers, 'test://note')).message.result).toEqual({})
  })

  test.each([
    ['of one byte more', uriOf(LONGEST + 1), -32602],
    ['of more bytes than letters', uriOf(LONGEST + 2, 1, 'é'), -32602],
    ['of an unknown resource', 'test://none', -32002],
    ['of no resource, by a letter', 'test://notes', -32002],
    ['that is malformed', 'note', -32002],
    ['of nothing', '', -32002],
  ])('refuses a URI %s', async (_what, uri, code) => {
    const { message } = await subscribe(await connect(app.url), uri)
    expect(message.error?.code).toBe(code)
  })

  test('accepts URIs that match a template, and drops unknown ones', async () => {
    const headers = await connect(app.url)
    expect((await subscribe(headers, 'test://broken/anything')).message.result).toEqual({})
    const gone = await subscribe(headers, 'test://none', 'resources/unsubscribe')
    expect(gone.message.result).toEqual({})
  })
})
