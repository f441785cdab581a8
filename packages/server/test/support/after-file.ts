/** Cleanups that run after the current file of tests. `clean-up.ts` runs them. */

type Cleanup = () => unknown

const cleanups: Cleanup[] = []

/** Runs `cleanup` after the tests of this file, in reverse order of the calls. */
export function afterFile(cleanup: Cleanup): void {
  cleanups.push(cleanup)
}

export async function runCleanups(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}
