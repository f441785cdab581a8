/** Encryption at rest for the store: AES-256-GCM with key rotation. */

import { createHash, hkdfSync } from 'node:crypto'
import { openWith, sealWith } from './seal.ts'

export const KEY_BYTES = 32

interface RingKey {
  readonly id: string
  forPurpose(purpose: string): Buffer
}

export type KeyRing = ReturnType<typeof createKeyRing>

/**
 * Creates a key ring of 32-byte keys. The first key encrypts, all decrypt: to rotate, prepend the
 * new key. Throws if there is no key or a key has another length.
 */
export function createKeyRing(keys: readonly Buffer[]) {
  const ring = keys.map(ringKey)
  const [current] = ring
  if (current === undefined) throw new RangeError('A key ring needs at least one key.')
  const byId = new Map(ring.map((key) => [key.id, key]))

  return {
    /**
     * Encrypts for one purpose (`credentials`) and one context (`ses_…:credentials`). The value
     * opens only under the same purpose and context, so that it is useless when copied to another
     * key.
     */
    seal(purpose: string, plaintext: string, context: string): string {
      return sealWith(current.forPurpose(purpose), current.id, { purpose, context }, plaintext)
    },
    /** The plaintext; undefined if decryption fails, for whatever reason. */
    open(purpose: string, sealed: string, context: string): string | undefined {
      const key = byId.get(sealed.split('.', 2)[1] ?? '')
      if (key === undefined) return undefined
      return openWith(key.forPurpose(purpose), key.id, { purpose, context }, sealed)
    },
    /** 32-byte sub-keys for other uses, such as signing: sign with the first, verify with all. */
    subKeys: (purpose: string): readonly Buffer[] => ring.map((key) => key.forPurpose(purpose)),
  }
}

function ringKey(key: Buffer): RingKey {
  if (key.length !== KEY_BYTES) throw new RangeError(`A key must have ${KEY_BYTES} bytes.`)
  const derived = new Map<string, Buffer>()
  return {
    id: createHash('sha256').update('key-id:').update(key).digest('base64url').slice(0, 8),
    forPurpose(purpose) {
      const known = derived.get(purpose)
      if (known !== undefined) return known
      const subKey = deriveKey(key, purpose)
      derived.set(purpose, subKey)
      return subKey
    },
  }
}

/** HKDF (RFC 5869): one sub-key per purpose, so that no two uses share a key. */
function deriveKey(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `mcp-template:${purpose}`, KEY_BYTES))
}
