/** Secrets in configuration files, such as the Redis password: AES-256-CBC with PKCS#7, base64. */

import { createCipheriv, createDecipheriv } from 'node:crypto'

/** A configuration secret that does not decrypt. The message contains no value. */
export class ConfigSecretError extends Error {
  constructor() {
    super(
      'does not decrypt with ENCRYPTION_KEY and ENCRYPTION_IV: it is damaged, or was made with others',
    )
    this.name = 'ConfigSecretError'
  }
}

/** Key (32 bytes) and initialization vector (16 bytes). */
export interface ConfigSecretKey {
  readonly key: Buffer
  readonly iv: Buffer
}

/**
 * Encrypts a secret for a configuration file. All values share one IV, so equal secrets have equal
 * ciphertexts, and the encryption is unauthenticated: for configuration only, never for the store.
 */
export function encryptConfigSecret(plaintext: string, { key, iv }: ConfigSecretKey): string {
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  return Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]).toString('base64')
}

/** Decrypts the output of `encryptConfigSecret` or `openssl enc -aes-256-cbc -base64`. */
export function decryptConfigSecret(encrypted: string, { key, iv }: ConfigSecretKey): string {
  const decipher = createDecipheriv('aes-256-cbc', key, iv)
  try {
    const start = decipher.update(Buffer.from(encrypted, 'base64'))
    const bytes = Buffer.concat([start, decipher.final()])
    // A wrong key passes the padding check once in 256 times, but rarely yields valid UTF-8.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new ConfigSecretError()
  }
}
