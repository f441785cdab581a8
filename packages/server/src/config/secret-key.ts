/** Loads only the key for configuration secrets, for the command that encrypts them. */

import type { ConfigSecretKey } from '../crypto/config-secret.ts'
import { wantedBy } from './facts.ts'
import { Faults } from './faults.ts'
import { type ConfigSources, readSources } from './sources.ts'
import { variables } from './variables.ts'

const { ENCRYPTION_KEY, ENCRYPTION_IV } = variables.shape

/** Reads ENCRYPTION_KEY and ENCRYPTION_IV as the server would. Throws `ConfigError`. */
export function loadSecretKey(sources: ConfigSources): ConfigSecretKey {
  const faults = new Faults()
  const raw = readSources(sources, faults)
  const key = ENCRYPTION_KEY.safeParse(raw.ENCRYPTION_KEY).data
  const iv = ENCRYPTION_IV.safeParse(raw.ENCRYPTION_IV).data
  if (key === undefined) faults.add('ENCRYPTION_KEY', `must be ${wantedBy(ENCRYPTION_KEY)}`)
  if (iv === undefined) faults.add('ENCRYPTION_IV', `must be ${wantedBy(ENCRYPTION_IV)}`)
  faults.throwIfAny()
  return { key: key ?? Buffer.alloc(0), iv: iv ?? Buffer.alloc(0) }
}
