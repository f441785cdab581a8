/** Suites that need more than npm installs: skipped aloud without it, failed where it is required. */

import { describe, expect, it } from 'vitest'

type Requirement = 'REQUIRE_REDIS' | 'REQUIRE_NGINX' | 'REQUIRE_DEPLOY'

/** `missing` says what is not there, if anything; with `REQUIRE_…=1` that is a failure. */
export function describeUnless(
  missing: string | undefined,
  requirement: Requirement,
  title: string,
  suite: () => void,
): void {
  if (missing === undefined) {
    describe(title, suite)
  } else if (process.env[requirement] === '1') {
    describe(title, () => it('has what it needs', () => expect.fail(missing)))
  } else {
    process.stderr.write(`Skipped: ${title}: ${missing}\n`)
    describe.skip(`${title} (${missing})`, suite)
  }
}
