/** Suites that need a Redis: skipped aloud where there is none, failed where one is required. */

import { describe, expect, it } from 'vitest'
import { redisAvailability } from './redis.ts'
import type { RedisKind } from './redis-binaries.ts'

const available = await redisAvailability()

/** `REQUIRE_REDIS=1` turns a missing server into a failure. */
export function describeRedis(kind: RedisKind, title: string, suite: () => void): void {
  const reason = available[kind]
  if (reason === true) {
    describe(title, suite)
  } else if (process.env.REQUIRE_REDIS === '1') {
    describe(title, () => it('has its Redis server', () => expect.fail(reason)))
  } else {
    process.stderr.write(`Skipped: ${title}: ${reason}\n`)
    describe.skip(`${title} (${reason})`, suite)
  }
}
