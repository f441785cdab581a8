/** SHA-256 digests for store keys and logs, and constant-time comparison of secrets. */

import { createHash, hash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of a UTF-8 string as base64url without padding (43 characters). */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Eight characters of the hash, to identify an id in logs without disclosing it. */
export function shortHash(id: string): string {
  return sha256(id).slice(0, 8)
}

/**
 * Compares two strings in constant time (timing attack): hashes both first, so that the duration
 * discloses neither where they differ nor the length of the expected one.
 */
export function timingSafeEqualStrings(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
