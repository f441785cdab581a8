/** Unguessable ids, and short codes for people to compare. */

import { randomBytes } from 'node:crypto'

/** Crockford's base32, without the ambiguous I, L, O and U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * An id of 256 random bits: its kind (`ses`, `con`), an underscore and 43 base64url characters.
 */
export function createId(kind: string): string {
  return `${kind}_${randomValue()}`
}

/** 256 random bits as base64url: the length RFC 7636 recommends for a PKCE code verifier. */
export function randomValue(): string {
  return randomBytes(32).toString('base64url')
}

/** A code of 40 random bits, shown as `XXXX-XXXX`, for a person to compare or type. */
export function shortCode(): string {
  // No modulo bias: 256 is a multiple of 32.
  const characters = Array.from(randomBytes(8), (byte) => ALPHABET.charAt(byte % 32))
  return `${characters.slice(0, 4).join('')}-${characters.slice(4).join('')}`
}
