/** The order of test files: the longest first, so that none of them is waited for at the end. */

import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take more than some 40 seconds; a file that is missing here is only started later. */
const LONGEST = [
  'official',
  'redis-sentinel-failover',
  'redis-conditions',
  'machine-clients',
  'least-permissions',
  'workers',
  'failover',
  'clock-skew-tokens',
  'redis-cluster-failover',
  'sse-lost-calls',
  'redis-limits',
  'nothing-kept',
  'worker-telemetry',
  'doctor-nodes',
  'redis-topologies',
  'two-processes',
  'stopping',
  'redis-health',
  'kill-switch',
  'faults',
  'cluster',
  'doctor',
  'printing',
  'streams-and-tokens',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.indexOf(basename(moduleId, '.test.ts'))
      return place === -1 ? LONGEST.length : place
    }
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b))
  }
}
