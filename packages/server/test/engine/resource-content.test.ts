/** What `read` of a resource may return, and what would be sent empty. */

import { expect, test } from 'vitest'
import { defineResource } from '../../src/engine/index.ts'
import { readResource } from '../support/tools.ts'

const resourceOf = (value: unknown) =>
  defineResource({ name: 'probe', uri: 'probe://x', read: async () => value as never })

test.each<[string, unknown, object]>([
  ['a text', 'x', { text: 'x' }],
  ['bytes', new Uint8Array([1, 2]), { blob: 'AQI=' }],
  ['a part of a buffer', Buffer.from('abc').subarray(1), { blob: 'YmM=' }],
  ['an ArrayBuffer', new Uint8Array([1, 2]).buffer, { blob: 'AQI=' }],
  ['an object', { a: [1] }, { text: '{"a":[1]}' }],
  ['a list', [1, null], { text: '[1,null]' }],
  ['a date', new Date(0), { text: '"1970-01-01T00:00:00.000Z"' }],
])('sends %s', async (_what, value, expected) => {
  expect(await readResource(resourceOf(value), 'probe://x')).toMatchObject(expected)
})

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'it is neither text nor bytes'],
  ['a number', 5, 'it is neither text nor bytes'],
  ['a response', new Response('x'), 'a Response has no JSON'],
  ['a stream', new Response('x').body, 'a ReadableStream has no JSON'],
  ['a blob', new Blob(['x']), 'a Blob has no JSON'],
  ['a map', new Map([['a', 1]]), 'a Map has no JSON'],
  ['a set', new Set([1]), 'a Set has no JSON'],
  ['base64url', { blob: 'a_-b' }, 'its blob is not base64'],
])('refuses %s', async (_what, value, reason) => {
  const reading = readResource(resourceOf(value), 'probe://x')
  await expect(reading).rejects.toMatchObject({
    data: { code: 'invalid_output' },
    cause: { message: expect.stringContaining(reason) },
  })
})
