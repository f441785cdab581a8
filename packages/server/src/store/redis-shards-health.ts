/** The health of several servers: one that fails does not take a node out of the load balancer. */

import type { RedisEndpoint } from '../config/redis-url.ts'
import { AppError, storeUnavailable } from '../errors.ts'
import type { StoreHealth } from './port.ts'
import type { RedisShards } from './redis-shards.ts'
import type { RedisTopology } from './redis-topology.ts'
import { explainTopology } from './redis-unfit.ts'
import type { StoreLog } from './store-log.ts'

/** Once one server fails, all of them may: results of the others count for this long only. */
const FRESH_WHILE_DEGRADED_MS = 1000
/** Enough to find one, but for one case in 200,000, for a server with a single slot. */
const MOST_TAGS = 200_000
const FIRST_TAG = '{health}'

interface Options {
  readonly isCluster: boolean
  readonly log: StoreLog
}

export function createShardsHealth(
  topology: RedisTopology,
  shards: RedisShards,
  { isCluster, log }: Options,
) {
  let closed = false
  const report = createReport(log)

  function count(): ShardCount {
    const owners = shards.owners()
    const ready = owners.filter(([, { health }]) => health.isFit()).length
    return { total: owners.length, ready }
  }

  const watching = setInterval(() => report(count()), 1000).unref()

  return {
    count,
    /**
     * Resolves while at least one server can serve requests; warns of the others.
     * @throws AppError `unavailable`, whose message is the reason
     */
    async check(): Promise<StoreHealth> {
      if (closed) throw storeUnavailable(new Error('The store is closed.'))
      const owners = shards.owners()
      if (owners.length === 0) {
        const { detail } = explainTopology(topology.failure, isCluster)
        throw new AppError('unavailable', detail, { retryAfterSeconds: 1 })
      }
      const checked = await checkAll(owners.map(([, { health }]) => health))
      const failed = checked.filter((each) => each.status === 'rejected')
      const [failure] = failed
      if (failure !== undefined && failed.length === owners.length) throw failure.reason
      const warnings = checked.flatMap((each) =>
        each.status === 'fulfilled' ? each.value.warnings : [],
      )
      const codes = new Map(warnings.map((warning) => [warning.code, warning]))
      const served = { total: owners.length, ready: owners.length - failed.length }
      const degraded = degradation(topology, failure?.reason, served)
      return { warnings: [...codes.values(), ...degraded] }
    },
    close(): void {
      closed = true
      clearInterval(watching)
    },
  }
}

/** The warning of shards that cannot serve requests. */
function degradation(
  topology: RedisTopology,
  reason: unknown,
  { total, ready }: ShardCount,
): StoreHealth['warnings'] {
  if (ready === total && topology.isComplete()) return []
  const why = reason instanceof Error ? reason.message : 'No server has some of the hash slots.'
  const message = `${ready} of ${total} Redis shards can serve requests; sessions of the others get 503. ${why}`
  return [{ code: 'redis_degraded', message }]
}

interface ShardCount {
  readonly total: number
  readonly ready: number
}

/** Logs each change of the number of ready shards once. */
function createReport(log: StoreLog): (count: ShardCount) => void {
  let reported = ''
  return ({ total, ready }) => {
    const state = stateOf({ total, ready })
    const text = `${state} ${ready}/${total}`
    if (text === reported) return
    reported = text
    const fields = { state, shards: total, ready }
    if (state === 'up') log.info(fields, 'Redis shards serve requests')
    else log.warn(fields, 'Redis shards unavailable')
  }
}

function stateOf({ total, ready }: ShardCount): 'up' | 'degraded' | 'down' {
  if (ready === 0) return 'down'
  return ready < total ? 'degraded' : 'up'
}

type Health = ReturnType<RedisShards['at']>['health']

async function checkAll(servers: readonly Health[]) {
  const check = (freshMs?: number) =>
    Promise.allSettled(servers.map((health) => health.check(freshMs)))
  const checked = await check()
  const isDegraded = checked.some(({ status }) => status === 'rejected')
  return isDegraded ? check(FRESH_WHILE_DEGRADED_MS) : checked
}

/**
 * A hash tag whose slot the server has; only health checks use keys with it. Keeps the `last` one
 * where it can: a server with few slots takes a long search.
 */
export function healthTagOf(
  topology: Pick<RedisTopology, 'ownerOf' | 'owners'>,
  endpoint: RedisEndpoint,
  last = FIRST_TAG,
): string {
  if (topology.ownerOf(last) === endpoint) return last
  // Without slots, such as while it imports its first one.
  if (!topology.owners().includes(endpoint)) return FIRST_TAG
  for (let number = 1; number < MOST_TAGS; number += 1) {
    const tag = `{health:${number}}`
    if (topology.ownerOf(tag) === endpoint) return tag
  }
  return FIRST_TAG
}
