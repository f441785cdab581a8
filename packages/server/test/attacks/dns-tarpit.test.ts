/**
 * Host names whose name servers never answer, as in the address of a client's metadata document:
 * lookups must not occupy the threads that the lookups of the API and of Redis need.
 */

import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDocumentFetch } from '../../src/auth/document-fetch.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createPublicResolver } from '../../src/upstream/public-resolver.ts'

/** The answer of a name server; none by default. */
type Answer = (query: Buffer) => Buffer | undefined

let server: Socket
let address: string
let asked = 0
let answer: Answer = () => undefined
beforeAll(async () => {
  server = createSocket('udp4')
  server.on('message', (query, { port }) => {
    asked += 1
    const reply = answer(query)
    if (reply !== undefined) server.send(reply, port)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${server.address().port}`
})
afterAll(() => void server?.close())

describe('while many lookups wait', () => {
  test('others are made at once, and these end after three seconds', async () => {
    const resolve = createPublicResolver([address])
    const started = performance.now()
    const lookups = Array.from({ length: 40 }, (_, at) => resolve(`slow-${at}.example`))
    const settled = Promise.allSettled(lookups)
    await expect.poll(() => asked).toBeGreaterThan(0)
    const asking = performance.now()
    await lookup('localhost')
    expect(performance.now() - asking).toBeLessThan(500)
    const outcomes = await settled
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(performance.now() - started).toBeLessThan(6000)
  })

  test('a document is given up', async () => {
    const resolve = createPublicResolver([address])
    const documents = createDocumentFetch({
      ...{ store: createMemoryStore(), now: Date.now, resolve },
    })
    const url = 'https://slow.example/client.json'
    await documents.allowFetch({}, url)
    const started = performance.now()
    await expect(documents.fetch(url)).rejects.toThrow()
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

/** The A records of a name, for a query of either type; none for AAAA. */
const withAddress =
  (octets: readonly number[]): Answer =>
  (query) => {
    const end = query.indexOf(0, 12) + 5
    const isA = query.readUInt16BE(end - 4) === 1
    const head = Buffer.from(query.subarray(0, end))
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(isA ? 1 : 0, 6)
    head.writeUInt16BE(0, 8)
    head.writeUInt16BE(0, 10)
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...octets])
    return isA ? Buffer.concat([head, record]) : head
  }

test('the addresses of name servers that answer are found', async () => {
  answer = withAddress([192, 0, 2, 1])
  const resolve = createPublicResolver([address])
  expect(await resolve('clients.example')).toEqual([{ address: '192.0.2.1', family: 4 }])
})

test.each(['localhost', 'a.LOCALHOST', 'localhost.'])('%s is this machine', async (name) => {
  const resolve = createPublicResolver([address])
  expect((await resolve(name)).map((each) => each.address)).toEqual(['127.0.0.1', '::1'])
})
