/** Startup checks of identity providers, and their warnings for the operator. */

import type { Config, ConfigWarning } from '../config.ts'

interface Checked {
  check(): Promise<void>
  warnings(): readonly ConfigWarning[]
}

/** Leaves the processor to the first requests. */
const DELAY_MS = 100

/**
 * Starts the checks shortly after the server is ready: a provider that is unavailable does not block
 * startup, and the library that the checks load does not delay it. Their warnings, and those of the
 * access configuration, are shown at `/readyz`.
 */
export function checkProviders({ accessWarnings }: Config, checked: readonly Checked[]) {
  setTimeout(() => {
    for (const each of checked) void each.check()
  }, DELAY_MS).unref()
  return (): readonly ConfigWarning[] => [
    ...accessWarnings,
    ...checked.flatMap((each) => each.warnings()),
  ]
}
