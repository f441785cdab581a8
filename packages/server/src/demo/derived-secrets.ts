/**
 * The demo provider's keys, all derived from one secret: nodes agree without exchanging messages.
 */

import { createECDH, createHash, hkdfSync } from 'node:crypto'
import type { JWK } from 'oidc-provider'

export interface DerivedSecrets {
  readonly clientSecret: string
  readonly cookieKey: string
  readonly signingKey: JWK
}

/** The order of P-256 (FIPS 186-5 and SP 800-186 §3.2.1.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** Derives all keys; deterministic for the same secret. */
export function deriveSecrets(secret: string): DerivedSecrets {
  return {
    clientSecret: derive(secret, 'client secret', 32).toString('base64url'),
    cookieKey: derive(secret, 'cookie key', 32).toString('base64url'),
    signingKey: deriveSigningKey(secret),
  }
}

/** A P-256 key by "extra random bits" (FIPS 186-5 A.2.1), as a JWK (RFC 7518 §6.2). */
function deriveSigningKey(secret: string): JWK {
  const seed = BigInt(`0x${derive(secret, 'signing key', 48).toString('hex')}`)
  const d = ((seed % (P256_ORDER - 1n)) + 1n).toString(16).padStart(64, '0')
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(d, 'hex')
  const point = ecdh.getPublicKey()
  return {
    kty: 'EC',
    crv: 'P-256',
    alg: 'ES256',
    use: 'sig',
    kid: createHash('sha256').update(point).digest('base64url').slice(0, 16),
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: Buffer.from(d, 'hex').toString('base64url'),
  }
}

/** HKDF (RFC 5869); the purpose keeps the keys independent of each other. */
function derive(secret: string, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `demo identity provider: ${purpose}`, bytes))
}
