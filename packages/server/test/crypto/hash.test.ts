/** Digests and comparisons. */

import { describe, expect, it } from 'vitest'
import { sha256, shortHash, timingSafeEqualStrings } from '../../src/crypto/hash.ts'

describe('sha256', () => {
  it('returns the PKCE challenge of RFC 7636, appendix B', () => {
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    expect(sha256(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  })
})

describe('shortHash', () => {
  it('is eight characters, the same for the same id and not a part of it', () => {
    expect(shortHash('ses_abc')).toMatch(/^[\w-]{8}$/)
    expect(shortHash('ses_abc')).toBe(shortHash('ses_abc'))
    expect(shortHash('ses_abc')).not.toBe(shortHash('ses_abd'))
  })
})

describe('timingSafeEqualStrings', () => {
  it.each([
    ['', '', true],
    ['secret', 'secret', true],
    ['secret', 'secreT', false],
    ['secret', 'secret ', false],
    ['secret', '', false],
  ])('compares %j with %j, of any lengths', (left, right, equal) => {
    expect(timingSafeEqualStrings(left, right)).toBe(equal)
  })
})
