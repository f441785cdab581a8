/** The encryption keys: the configured ones, or a published one outside production. */

import type { Faults } from './faults.ts'
import type { Variables } from './variables.ts'

/**
 * Published on purpose, so that development processes that share a Redis agree without
 * configuration. Production refuses it.
 */
export const DEVELOPMENT_KEY = Buffer.from('mcp-template public key dev only', 'ascii')

interface KeyChoice {
  readonly keys: readonly Buffer[]
  readonly usesDevelopmentKey: boolean
}

/** The current key first, then the previous keys (key rotation). */
export function chooseKeys(variables: Variables, faults: Faults): KeyChoice {
  const { NODE_ENV, ENCRYPTION_KEY: given, ENCRYPTION_KEYS_PREVIOUS: previous } = variables
  if (NODE_ENV === 'production') {
    if (given === undefined) faults.add('ENCRYPTION_KEY', 'is required in production')
    if (given?.equals(DEVELOPMENT_KEY)) faults.add('ENCRYPTION_KEY', PUBLISHED)
    if (previous.some((key) => key.equals(DEVELOPMENT_KEY))) {
      faults.add('ENCRYPTION_KEYS_PREVIOUS', PUBLISHED)
    }
  }
  const current = given ?? DEVELOPMENT_KEY
  return { keys: [current, ...previous], usesDevelopmentKey: current.equals(DEVELOPMENT_KEY) }
}

const PUBLISHED = 'is the published development key, which production refuses'
