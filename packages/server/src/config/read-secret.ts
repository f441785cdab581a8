/** Reads one secret from a file. */

import { readFileSync } from 'node:fs'

/** A limit; keys and certificates in PEM take a tenth of it. */
const MOST_BYTES = 64 * 1024

/**
 * The content without its trailing newline, or why it cannot be used, to follow the name of the
 * variable; never with a value.
 */
export function readSecret(path: string): { readonly value: string } | { readonly fault: string } {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    return { fault: `names a file that cannot be read${code}` }
  }
  if (bytes.length > MOST_BYTES) return { fault: `names a file of more than ${MOST_BYTES} bytes` }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const value = text.replace(/\r?\n$/, '')
    return value === '' ? { fault: 'names an empty file' } : { value }
  } catch {
    return { fault: 'names a file that is not UTF-8 text' }
  }
}
