/** AES-256-GCM envelope: `v1.<key id>.<base64url of nonce, ciphertext and tag>`. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const VERSION = 'v1'
/** NIST SP 800-38D, 8.2.2: 96 random bits, fresh for every message. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Purpose and location of a sealed value: additional authenticated data, not stored. */
export interface SealedFor {
  readonly purpose: string
  readonly context: string
}

/** Encrypts and authenticates a string with a 32-byte key. */
export function sealWith(key: Buffer, keyId: string, target: SealedFor, plaintext: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(additionalData(keyId, target))
  const parts = [nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return `${VERSION}.${keyId}.${Buffer.concat(parts).toString('base64url')}`
}

/** The plaintext; undefined if the value is not authentic for this key and target. */
export function openWith(
  key: Buffer,
  keyId: string,
  target: SealedFor,
  sealed: string,
): string | undefined {
  const [version, sealedKeyId, body, ...rest] = sealed.split('.')
  if (version !== VERSION || sealedKeyId !== keyId || body === undefined || rest.length > 0) return
  const bytes = Buffer.from(body, 'base64url')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return
  // Node's decoder skips invalid characters; accepts only the canonical encoding.
  if (bytes.toString('base64url') !== body) return

  const nonce = bytes.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(additionalData(keyId, target))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const start = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
    return Buffer.concat([start, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

/** JSON is unambiguous; with a separator, `a` + `b:c` would equal `a:b` + `c`. */
function additionalData(keyId: string, { purpose, context }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, purpose, context]), 'utf8')
}
