/** Sealed values decrypt only with their key, purpose and context. */

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.ts'

const text = () => fc.string({ unit: 'binary' })
const oldKey = randomBytes(32)
const newKey = randomBytes(32)
const ring = createKeyRing([newKey, oldKey])

describe('a key ring', () => {
  it('decrypts any text under the same purpose and context', () => {
    fc.assert(
      fc.property(text(), text(), text(), (purpose, plaintext, context) => {
        expect(ring.open(purpose, ring.seal(purpose, plaintext, context), context)).toBe(plaintext)
      }),
    )
  })

  it('decrypts nothing under another purpose or context', () => {
    fc.assert(
      fc.property(text(), text(), text(), text(), (purpose, context, purpose2, context2) => {
        fc.pre(purpose !== purpose2 || context !== context2)
        const sealed = ring.seal(purpose, 'secret', context)
        expect(ring.open(purpose2, sealed, context2)).toBeUndefined()
      }),
    )
  })

  it('does not confuse where the purpose ends and the context begins', () => {
    const sealed = ring.seal('a', 'secret', 'b:c')
    expect(ring.open('a:b', sealed, 'c')).toBeUndefined()
  })

  it('does not decrypt a text with any one character changed', () => {
    const sealed = ring.seal('credentials', 'secret', 'ses_1')
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.string({ maxLength: 1 }), (at, character) => {
        fc.pre(sealed[at] !== character)
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1)
        expect(ring.open('credentials', changed, 'ses_1')).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  it('does not throw on garbage', () => {
    fc.assert(
      fc.property(text(), (garbage) => {
        expect(ring.open('credentials', garbage, 'ses_1')).toBeUndefined()
        expect(ring.open('credentials', `v1.${garbage}`, 'ses_1')).toBeUndefined()
      }),
    )
  })

  it('shows version and key id, hides the rest, and never seals to the same text twice', () => {
    const sealed = Array.from({ length: 100 }, () => ring.seal('credentials', 'secret', 'ses_1'))
    for (const value of sealed) expect(value).toMatch(/^v1\.[\w-]{8}\.[\w-]+$/)
    expect(new Set(sealed)).toHaveLength(100)
  })
})

describe('replacing a key', () => {
  it('decrypts values of the previous key, and seals with the new one', () => {
    const sealed = createKeyRing([oldKey]).seal('credentials', 'secret', 'ses_1')
    expect(ring.open('credentials', sealed, 'ses_1')).toBe('secret')
    const resealed = ring.seal('credentials', 'secret', 'ses_1')
    expect(createKeyRing([newKey]).open('credentials', resealed, 'ses_1')).toBe('secret')
    expect(createKeyRing([oldKey]).open('credentials', resealed, 'ses_1')).toBeUndefined()
  })

  it('does not decrypt values of a removed key', () => {
    const sealed = createKeyRing([oldKey]).seal('credentials', 'secret', 'ses_1')
    expect(createKeyRing([newKey]).open('credentials', sealed, 'ses_1')).toBeUndefined()
  })
})

describe('a key ring is refused', () => {
  it.each([
    ['no key', []],
    ['a short key', [randomBytes(16)]],
    ['a long previous key', [randomBytes(32), randomBytes(33)]],
  ])('with %s', (_, keys) => {
    expect(() => createKeyRing(keys)).toThrow(RangeError)
  })
})
