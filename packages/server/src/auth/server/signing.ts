/** What access tokens are signed with: one secret (HS256), or keys that are replaced over time. */

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
  /** The secret that HS256 signs with, and that checks what it signed. */
  readonly secret: KeyObject | undefined
  /** The key that the provider signs with; one that signs nothing when there is a secret. */
  current(): Promise<SigningKey>
  /** RFC 7517; empty when there is a secret. */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  /** The key that checks a token; throws `unavailable` when the store is away. None with a secret. */
  readonly verificationKey: JWTVerifyGetKey
}

/** HS256: whoever has the secret makes and checks tokens; there is nothing to publish. */
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

/** ES256 or EdDSA: anybody can check tokens with what is published. */
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

/** The library wants an asymmetric key, for ID tokens that are never made. */
function idleKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid: 'idle', privateJwk: privateKey.export({ format: 'jwk' }) as JWK }
}
