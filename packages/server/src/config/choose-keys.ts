/** The keys that encrypt: configured ones, or outside production one that everybody knows. */

import type { Faults } from './faults.ts'
import type { Variables } from './variables.ts'

/**
 * Published on purpose, so that several development processes on one Redis agree without any
 * configuration. Production refuses it.
 */
export const DEVELOPMENT_KEY = Buffer.from('mcp-template public key dev only', 'ascii')

interface KeyChoice {
  readonly keys: readonly Buffer[]
  readonly usesDevelopmentKey: boolean
}

/** The current key first, then those it replaced. */
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
