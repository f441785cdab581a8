/** How access tokens are signed: with one secret (HS256), or with rotating keys (ES256, EdDSA). */

import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { JWK, JWTVerifyGetKey } from 'jose'
import type { BuiltInIssuer } from '../../config.ts'
import type { SigningKeys } from '../signing-keys.ts'

export interface SigningKey {
  readonly kid: string
  readonly privateJwk: JWK
}

export interface Signing {
  readonly algorithm: BuiltInIssuer['algorithm']
  /** The HS256 secret, which signs and verifies. */
  readonly secret: KeyObject | undefined
  /** The key that the provider signs with; unused with HS256. */
  current(): Promise<SigningKey>
  /** The JWKS (RFC 7517); empty with HS256. */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  /** The key that verifies a token; throws `unavailable` when the store is. No key with HS256. */
  readonly verificationKey: JWTVerifyGetKey
}

/** HS256: the same secret signs and verifies tokens; no key is published. */
export function createSecretSigning(jwtSecret: string): Signing {
  const secret = createSecretKey(Buffer.from(jwtSecret, 'utf8'))
  const idle = idleKey()
  return {
    algorithm: 'HS256',
    secret,
    current: async () => idle,
    published: async () => ({ keys: [] }),
    verificationKey: noSuchKey,
  }
}

/** ES256 or EdDSA: the published keys verify tokens. */
export function createKeySigning(algorithm: 'ES256' | 'EdDSA', keys: SigningKeys): Signing {
  return {
    algorithm,
    secret: undefined,
    current: keys.current,
    published: keys.published,
    async verificationKey(header) {
      const jwk = header.kid === undefined ? undefined : await keys.byKid(header.kid)
      if (jwk === undefined) return noSuchKey()
      return (await import('jose')).importJWK(jwk, algorithm)
    },
  }
}

async function noSuchKey(): Promise<never> {
  const { errors } = await import('jose')
  throw new errors.JWKSNoMatchingKey()
}

/** The library requires an asymmetric key for ID tokens, which are never issued. */
function idleKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid: 'idle', privateJwk: privateKey.export({ format: 'jwk' }) as JWK }
}
