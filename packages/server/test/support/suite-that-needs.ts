/** Suites that need more than npm installs: skipped with a message without it, failed if it is required. */

import { describe, expect, it } from 'vitest'

type Requirement = 'REQUIRE_REDIS' | 'REQUIRE_NGINX' | 'REQUIRE_DEPLOY'

/** `missing` names the missing requirement, if any; with `REQUIRE_…=1` that is a failure. */
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
