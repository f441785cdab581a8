/** What an operator should know of the services that people and clients sign in at. */

import type { Config, ConfigWarning } from '../config.ts'

interface Checked {
  check(): Promise<void>
  warnings(): readonly ConfigWarning[]
}

/**
 * Looks at them now, without waiting: one that is unavailable for a while does not keep the server
 * from starting. What they find, and what the configuration says of access, is at `/readyz`.
 */
export function checkProviders({ accessWarnings }: Config, ...checked: readonly Checked[]) {
  for (const each of checked) void each.check()
  return { warnings: () => [...accessWarnings, ...checked.flatMap((each) => each.warnings())] }
}
