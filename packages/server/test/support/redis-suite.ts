/** Suites that need a Redis: skipped with a message if there is none, failed if one is required. */

import { redisAvailability } from './redis.ts'
import type { RedisKind } from './redis-binaries.ts'
import { describeUnless } from './suite-that-needs.ts'

const available = await redisAvailability()

/** `REQUIRE_REDIS=1` turns a missing server into a failure. */
export function describeRedis(kind: RedisKind, title: string, suite: () => void): void {
  describeUnless(redisMissing(kind), 'REQUIRE_REDIS', title, suite)
}

/** Why there is no such server; undefined if there is one. */
export function redisMissing(kind: RedisKind): string | undefined {
  const reason = available[kind]
  return reason === true ? undefined : reason
}
