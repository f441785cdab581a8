/** Configuration secrets: the same bytes as openssl, and a clear refusal of anything else. */

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ConfigSecretError,
  decryptConfigSecret,
  encryptConfigSecret,
} from '../../src/crypto/config-secret.ts'

const secretKey = {
  key: Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex'),
  iv: Buffer.from('0f0e0d0c0b0a09080706050403020100', 'hex'),
}

/** Created with `openssl enc -aes-256-cbc -K <key> -iv <iv> -base64`. */
const VECTOR = 'PMIFGjPrj6/yAdXJmg5vjbK9R2Gr132EVQEBvKSst1w='

describe('a configuration secret', () => {
  it('is the same as that of openssl', () => {
    expect(encryptConfigSecret('Sup3r-s3cret-p@ss', secretKey)).toBe(VECTOR)
    expect(decryptConfigSecret(VECTOR, secretKey)).toBe('Sup3r-s3cret-p@ss')
  })

  it('decrypts to the same text, whatever its content', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (plaintext) => {
        const encrypted = encryptConfigSecret(plaintext, secretKey)
        expect(decryptConfigSecret(encrypted, secretKey)).toBe(plaintext)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['a plain password', 'password'],
    ['a cut-off value', VECTOR.slice(0, 24)],
  ])('refuses %s without naming it', (_, value) => {
    expect(() => decryptConfigSecret(value, secretKey)).toThrow(ConfigSecretError)
    expect(() => decryptConfigSecret(value, secretKey)).toThrow(/ENCRYPTION_KEY/)
  })

  it('refuses a value encrypted with another key', () => {
    let refused = 0
    for (let round = 0; round < 100; round += 1) {
      const other = { key: randomBytes(32), iv: secretKey.iv }
      try {
        expect(decryptConfigSecret(VECTOR, other)).not.toBe('Sup3r-s3cret-p@ss')
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigSecretError)
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(95)
  })
})
