/** One server that holds data: its connection, its scripts and its health. */

import { createRedisConnection, type ServerConnection } from './redis-connection.ts'
import { isLoading } from './redis-errors.ts'
import { RedisHealth } from './redis-health.ts'
import type { RedisLinkOptions } from './redis-link.ts'
import type { ProbeResult } from './redis-probe.ts'
import { definedScripts } from './redis-scripts.ts'

export interface RedisShardOptions
  extends Pick<
    RedisLinkOptions,
    'address' | 'isFixed' | 'timeoutMs' | 'log' | 'random' | 'monotonicNow'
  > {
  readonly probe: (connection: ServerConnection) => Promise<ProbeResult>
  readonly eviction: 'warn' | 'refuse'
  /** Called each time the connection is ready, after scripts were sent. */
  readonly onReady: () => void
  /** Called when the connection was lost, or when the server missed a deadline. */
  readonly onTrouble?: () => void
}

export type RedisShard = ReturnType<typeof createRedisShard>

/** Connects in the background. */
export function createRedisShard(options: RedisShardOptions) {
  const { address, isFixed = false, timeoutMs, log, random, monotonicNow } = options
  const { eviction, onTrouble } = options
  let settle = (): void => undefined
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })
  const connection: ServerConnection = createRedisConnection({
    ...{ address, isFixed, timeoutMs, log, random, monotonicNow },
    onReady() {
      shard.state = 'ready'
      settle()
      loadScripts(connection)
      options.onReady()
      health.connected()
    },
    onLost(error) {
      shard.state = 'lost'
      settle()
      health.lost(error)
      onTrouble?.()
    },
    onLate(error) {
      health.late(error)
      onTrouble?.()
    },
    onInTime: () => health.inTime(),
  })
  const health = new RedisHealth({
    ...{ log, eviction, monotonicNow, isAnnounced: isFixed },
    probe: () => options.probe(connection),
  })
  const shard = {
    connection,
    health,
    state: 'connecting' as 'connecting' | 'ready' | 'lost',
    /** Resolves when the first attempt to connect has succeeded or failed. */
    settled,
    /** @param waitMs for commands in flight; one deadline by default */
    async close(waitMs?: number) {
      shard.state = 'lost'
      settle()
      health.close()
      await connection.close(waitMs)
    },
  }
  return shard
}

/** Retry interval while a restarted server reads its data. */
const RELOAD_AFTER_MS = 100

/**
 * Loads scripts before any other command, since Redis drops its script cache on a restart. Without
 * it, the second of two pipelined commands could run first, if another node loaded the script between
 * them; entries out of order would look like those of another node. Where loading fails, scripts are
 * sent with EVAL.
 */
function loadScripts(connection: ServerConnection): void {
  const loading = definedScripts().map(({ source }) =>
    connection.command(['SCRIPT', 'LOAD', source]),
  )
  Promise.all(loading).catch((error: unknown) => {
    if (isLoading(error)) setTimeout(() => loadScripts(connection), RELOAD_AFTER_MS).unref()
  })
}
