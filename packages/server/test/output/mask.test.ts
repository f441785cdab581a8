/** Masking one value: the shown characters. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { masked, maskText } from '../../src/output/mask.ts'

const count = fc.nat({ max: 12 })
/** Texts of every kind: letters, emoji, halves of surrogate pairs. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('a', '👩', '\ud83d', '\udc69', 'é', '\u0301'))
    .map((all) => all.join('')),
)
/** Not in the texts, so that shown characters are distinguishable from the mask. */
const MASK = '\ufffc'
const lengthOf = (text: string) => Array.from(text).length
const shownOf = (text: string) => Array.from(text).filter((character) => character !== MASK)

describe('masking a text', () => {
  it.each([
    ['0123456789', { right: 4 }, '******6789'],
    ['0123456789', { left: 2 }, '01********'],
    ['0123456789', { left: 2, right: 3 }, '01*****789'],
    ['0123456789', {}, '**********'],
    ['0123456789', { right: 4, character: '•' }, '••••••6789'],
    ['0123456789', { right: 4, character: '$' }, '$$$$$$6789'],
    ['', { left: 2, right: 2 }, ''],
    ['0123456789', { right: 4, length: 3 }, '***6789'],
    ['01', { right: 4, length: 3 }, '***'],
    ['0123456789', { length: 0, right: 1 }, '9'],
    [
      'ada@example.com',
      { by: (text: string) => text.replace(/^(.).*@/, '$1***@') },
      'a***@example.com',
    ],
    ['secret', { by: () => undefined as never }, '******'],
    ['secret', { by: (text: string) => JSON.parse(text) }, '******'],
  ])('of %s with %j shows %s', (text, rule, shown) => {
    expect(maskText(text, rule)).toBe(shown)
  })

  it('hides short texts completely', () => {
    expect(maskText('1234', { right: 4 })).toBe('****')
    expect(maskText('123', { left: 2, right: 2 })).toBe('***')
    expect(maskText('1', { left: 8 })).toBe('*')
  })

  it('counts an emoji as one character, and never splits one', () => {
    expect(maskText('👩👨👧👦', { left: 1, right: 1 })).toBe('👩**👦')
    expect(maskText('ab👩', { right: 1 })).toBe('**👩')
    expect(maskText('👩👨', { left: 2 })).toBe('**')
  })

  it('shows no more characters than declared', () => {
    fc.assert(
      fc.property(texts, count, count, (text, left, right) => {
        fc.pre(!text.includes(MASK))
        const shown = shownOf(maskText(text, { left, right, character: MASK }))
        expect(shown.length).toBeLessThanOrEqual(left + right)
      }),
    )
  })

  it('hides at least one character of any text', () => {
    fc.assert(
      fc.property(texts, count, count, (text, left, right) => {
        fc.pre(text !== '' && !text.includes(MASK))
        expect(maskText(text, { left, right, character: MASK })).toContain(MASK)
      }),
    )
  })

  it('preserves the length, and shows the start and the end only', () => {
    fc.assert(
      fc.property(texts, count, count, (text, left, right) => {
        const shown = maskText(text, { left, right, character: MASK })
        expect(lengthOf(shown)).toBe(lengthOf(text))
        const parts = shown.split(MASK)
        expect(text.startsWith(parts[0] ?? '')).toBe(true)
        expect(text.endsWith(parts.at(-1) ?? '')).toBe(true)
      }),
    )
  })
})

describe('declaring a mask', () => {
  it.each([
    { left: -1 },
    { right: 1.5 },
    { left: Number.NaN },
    { right: Number.POSITIVE_INFINITY },
  ])('refuses %j', (rule) => {
    expect(() => masked(z.string(), rule)).toThrow(RangeError)
  })

  it.each(['', '**', 'xy'])('refuses "%s" as a mask character', (character) => {
    expect(() => masked(z.string(), { character })).toThrow(RangeError)
  })

  it('checks the text before it is masked', () => {
    const digits = masked(z.string().regex(/^\d{8}$/), { right: 2 })
    expect(digits.parse('12345678')).toBe('******78')
    expect(digits.safeParse('1234').success).toBe(false)
  })
})

describe('a declared mask', () => {
  it('keeps the type of its schema', () => {
    const schema = z.object({ email: masked(z.email(), { left: 1, length: 3 }) })
    expect(schema.parse({ email: 'ada@example.com' })).toEqual({ email: 'a***' })
    expect(schema.safeParse({ email: 'nobody' }).success).toBe(false)
  })

  it.each<[rule: object, fault: string]>([
    [{ rigth: 4 }, 'rigth is not one of left, right, character, length, by'],
    [{ left: -1 }, 'left and right count characters'],
    [{ length: 1.5 }, 'whole numbers'],
    [{ by: 'email' }, 'by must be a function'],
    [{ by: String, right: 4 }, 'by conflicts with the other fields'],
  ])('%o is refused', (rule, fault) => {
    expect(() => masked(z.string(), rule)).toThrow(fault)
  })

  it('accepts strings only', () => {
    expect(() => masked(z.number() as never)).toThrow('masked takes the schema of a string')
  })
})
