/** Startup checks of identity providers, and their warnings for the operator. */

import type { Config, ConfigWarning } from '../config.ts'

interface Checked {
  check(): Promise<void>
  warnings(): readonly ConfigWarning[]
}

/**
 * Starts the checks without waiting: a provider that is unavailable does not block startup. Their
 * warnings, and those of the access configuration, are shown at `/readyz`.
 */
export function checkProviders({ accessWarnings }: Config, checked: readonly Checked[]) {
  for (const each of checked) void each.check()
  return (): readonly ConfigWarning[] => [
    ...accessWarnings,
    ...checked.flatMap((each) => each.warnings()),
  ]
}
