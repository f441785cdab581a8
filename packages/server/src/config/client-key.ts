/**
 * The private key and the certificate with which this server authenticates at the identity
 * provider.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { values } from './values.ts'

/** A private key for client assertions (RFC 7523) or for TLS (RFC 8705). */
export interface ClientKey {
  readonly key: KeyObject
  /** The JWS algorithm for signing. */
  readonly algorithm: string
  /** The `kid` of the JWK. */
  readonly keyId?: string
}

const LEAST_RSA_BITS = 2048
const OF_CURVE: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
const OF_RSA = /^[RP]S(256|384|512)$/

/** A private key as PEM, with line breaks or `\n` in their place, or as JWK. */
export function privateKey() {
  return z
    .string()
    .transform((given, context) => {
      const key = parseKey(given)
      if (key !== undefined) return key
      context.addIssue({ code: 'custom' })
      return z.NEVER
    })
    .register(values, {
      wants:
        'a private key as PEM without a passphrase, or as JWK: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519',
    })
}

/** A certificate chain as PEM, the leaf certificate first. */
export function certificate() {
  return z
    .string()
    .transform(withLineBreaks)
    .refine((given) => parseCertificate(given) !== undefined)
    .register(values, { wants: 'a certificate as PEM' })
}

/** Whether the certificate belongs to the key. */
export function belongsTo(pem: string, { key }: ClientKey): boolean {
  return parseCertificate(pem)?.checkPrivateKey(key) ?? false
}

function parseKey(given: string): ClientKey | undefined {
  try {
    if (!given.trimStart().startsWith('{'))
      return clientKey(createPrivateKey(withLineBreaks(given)))
    const jwk = JSON.parse(given)
    return clientKey(createPrivateKey({ key: jwk, format: 'jwk' }), jwk)
  } catch {
    return undefined
  }
}

function clientKey(key: KeyObject, { alg, kid }: { alg?: unknown; kid?: unknown } = {}) {
  const possible = algorithmOf(key)
  if (possible === undefined) return undefined
  const isOther = typeof alg === 'string' && alg !== possible
  if (isOther && !(possible === 'RS256' && OF_RSA.test(alg)) && alg !== 'Ed25519') return undefined
  const algorithm = isOther && possible === 'RS256' ? alg : possible
  return { key, algorithm, ...(typeof kid === 'string' && kid !== '' && { keyId: kid }) }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {}
  switch (asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= LEAST_RSA_BITS ? 'RS256' : undefined
    case 'ec':
      return OF_CURVE[namedCurve]
    case 'ed25519':
      return 'EdDSA'
    default:
      return undefined
  }
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** Restores line breaks: container env files and CI secrets hold one line. */
function withLineBreaks(given: string): string {
  return given.replaceAll('\\n', '\n')
}
