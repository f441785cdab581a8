/** Text that is truncated to a number of bytes stays well-formed. */

import { expect, it } from 'vitest'
import { cutToBytes } from '../../src/store/text-bytes.ts'

it.each([
  ['abcdef', 4, 'abcd'],
  ['abcd', 4, 'abcd'],
  ['äöü', 4, 'äö'],
  ['äöü', 5, 'äö'],
  ['漢字', 5, '漢'],
  ['😀😀', 7, '😀'],
  ['😀😀', 8, '😀😀'],
  ['a😀', 2, 'a'],
  ['😀', 3, ''],
  ['', 3, ''],
])('%s in %d bytes is %s', (text, bytes, expected) => {
  expect(cutToBytes(text, bytes)).toBe(expected)
})

it.each(['\ud83d', 'a\ud83d'.repeat(50), '\udc00x', '漢'.repeat(99)])(
  'is well-formed: %j',
  (text) => {
    const cut = cutToBytes(text, 64)
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(64)
    expect(Buffer.from(cut).toString()).toBe(cut)
  },
)
