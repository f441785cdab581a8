/** Any configured colour has enough contrast wherever it is used. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accentOnDark, accentOnLight } from '../../src/http/pages/page-colours.ts'
import { pageStyle } from '../../src/http/pages/page-style.ts'
import { contrast } from '../support/contrast.ts'

const rgb = (colour: string) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
const between = (one: string, other: string) => contrast(rgb(one), rgb(other))
const colours = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value) => `#${value.toString(16).padStart(6, '0')}`)

describe.each([
  ['light', accentOnLight, '#eef1f6', '#ffffff'],
  ['dark', accentOnDark, '#212936', '#191f29'],
] as const)('on a %s page', (_scheme, accentOn, worst, paper) => {
  test('text in it, and text on it, has a contrast of 4.5:1 or more', () => {
    fc.assert(
      fc.property(colours, (colour) => {
        const { plain, strong, on } = accentOn(colour, worst)
        for (const ground of [worst, paper]) {
          expect(between(plain, ground)).toBeGreaterThanOrEqual(4.5)
        }
        expect(between(on, plain)).toBeGreaterThanOrEqual(4.5)
        expect(between(on, strong)).toBeGreaterThanOrEqual(4.5)
      }),
    )
  })
})

test('a colour with enough contrast is used unchanged', () => {
  expect(accentOnLight('#1f4fbf', '#eef1f6').plain).toBe('#1f4fbf')
  expect(accentOnDark('#8db0ff', '#212936').plain).toBe('#8db0ff')
  expect(pageStyle('#1f4fbf')).toContain('--accent: #1f4fbf')
})
