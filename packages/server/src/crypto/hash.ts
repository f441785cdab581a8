/** Digests and comparisons: for keys in the store, for logs, for secrets that are checked. */

import { createHash, hash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of a UTF-8 string as base64url without padding (43 characters). */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Eight characters that tell ids apart in logs, where the id itself must not appear. */
export function shortHash(id: string): string {
  return sha256(id).slice(0, 8)
}

/**
 * Compares two strings in a time that tells nothing about where they differ, nor how long the
 * expected one is: both are hashed first.
 */
export function timingSafeEqualStrings(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
