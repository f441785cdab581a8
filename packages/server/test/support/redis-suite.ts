/** Suites that need a Redis: skipped with a message if there is none, failed if one is required. */

import { describe } from 'vitest'
import { redisAvailability } from './redis.ts'
import type { RedisKind } from './redis-binaries.ts'
import { suiteTopology } from './redis-of-suite.ts'
import { describeUnless } from './suite-that-needs.ts'

const available = await redisAvailability()

/** `REQUIRE_REDIS=1` turns a missing server into a failure. */
export function describeRedis(kind: RedisKind, title: string, suite: () => void): void {
  describeUnless(redisMissing(kind), 'REQUIRE_REDIS', title, suite)
}

/** A suite that starts its own topology and therefore runs once: skipped if `TEST_REDIS` selects another. */
export function describeOwnRedis(title: string, suite: () => void): void {
  if (suiteTopology() === 'single') describeRedis('plain', title, suite)
  else describe.skip(`${title} (starts Redis servers of its own on any topology)`, suite)
}

/** Why there is no such server; undefined if there is one. */
export function redisMissing(kind: RedisKind): string | undefined {
  const reason = available[kind]
  return reason === true ? undefined : reason
}
