/** Ids and codes: their form and their distribution. */

import { describe, expect, it } from 'vitest'
import { createId, shortCode } from '../../src/crypto/random-id.ts'

describe('createId', () => {
  it('is the kind, an underscore and 256 bits as base64url', () => {
    const id = createId('ses')
    expect(id).toMatch(/^ses_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(id.slice(4), 'base64url')).toHaveLength(32)
  })

  it('does not repeat', () => {
    expect(new Set(Array.from({ length: 1000 }, () => createId('con')))).toHaveLength(1000)
  })
})

describe('shortCode', () => {
  const codes = Array.from({ length: 20_000 }, shortCode)

  it('is four and four characters without ambiguous ones', () => {
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
  })

  it('favours no character', () => {
    const counts = new Map<string, number>()
    for (const character of codes.join('').replaceAll('-', '')) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    // 160,000 characters over 32: 5,000 each, with a standard deviation of 70.
    expect(counts.size).toBe(32)
    for (const count of counts.values()) expect(Math.abs(count - 5000)).toBeLessThan(500)
  })
})
