/** Health of Redis, from a probe every two seconds, independent of how often it is read. */

import { AppError, storeUnavailable } from '../errors.ts'
import type { StoreHealth } from './port.ts'
import type { ProbeResult } from './redis-probe.ts'
import { explainUnfit, type Unfit } from './redis-unfit.ts'
import type { StoreLog } from './store-log.ts'

export interface RedisHealthOptions {
  /** Probes Redis. Always resolves, within a second. */
  readonly probe: () => Promise<ProbeResult>
  readonly log: StoreLog
  /** How to treat a Redis that may evict keys: warn, or not ready. */
  readonly eviction: 'warn' | 'refuse'
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

const PROBE_EVERY_MS = 2000
const FRESH_MS = 3000

const NOT_CONNECTED: Unfit = { reason: 'unreachable', detail: 'Redis is not connected yet.' }

export function createRedisHealth({ probe, log, eviction, monotonicNow }: RedisHealthOptions) {
  const report = createHealthReport(log)
  let [isConnected, closed] = [false, false]
  let unfit: Unfit | undefined = NOT_CONNECTED
  let hung: Unfit | undefined
  let warnings: StoreHealth['warnings'] = []
  let probedAt = Number.NEGATIVE_INFINITY
  let probing: Promise<void> | undefined
  let next: NodeJS.Timeout | undefined

  /** One probe at a time; the next starts two seconds after this one started. */
  function probeOnce(): Promise<void> {
    clearTimeout(next)
    next = setTimeout(() => void probeOnce(), PROBE_EVERY_MS).unref()
    probing ??= ask().finally(() => {
      probing = undefined
    })
    return probing
  }

  async function ask(): Promise<void> {
    const result = await probe()
    // The cause of the loss explains more than the commands that failed with it.
    if (!isConnected || closed) return
    probedAt = monotonicNow()
    // Cleared here too: after a hang shorter than a command's deadline, no command was late.
    hung = result.unfit?.reason === 'unreachable' ? result.unfit : undefined
    if (hung !== undefined) return
    const policy = result.evictionPolicy
    const warning = policy === undefined ? undefined : evicts(policy)
    warnings = warning === undefined ? [] : [{ code: warning.reason, message: warning.detail }]
    unfit = result.unfit ?? (eviction === 'refuse' ? warning : undefined)
    report.report(unfit, warnings)
  }

  return {
    /** The connection is ready. After a loss, probes immediately. */
    connected(): void {
      const wasLost = !isConnected
      isConnected = true
      if (wasLost && !closed) void probeOnce()
    },
    /** The connection was lost, or could not be established. */
    lost(error: unknown): void {
      isConnected = false
      clearTimeout(next)
      hung = undefined
      unfit = explainUnfit(error)
      report.report(unfit, warnings)
    },
    /** A command missed its deadline: Redis counts as hung until one succeeds. */
    late(error: unknown): void {
      hung = explainUnfit(error)
    },
    inTime(): void {
      hung = undefined
    },
    /** @throws AppError `unavailable`, whose message is the reason */
    async check(): Promise<StoreHealth> {
      if (closed) throw storeUnavailable(new Error('The store is closed.'))
      if (isConnected && monotonicNow() - probedAt > FRESH_MS) await probeOnce()
      const why = hung ?? unfit
      if (why !== undefined) throw new AppError('unavailable', why.detail, { retryAfterSeconds: 1 })
      return { warnings }
    },
    isFit: () => !closed && (hung ?? unfit) === undefined,
    close(): void {
      closed = true
      clearTimeout(next)
    },
  }
}

function evicts(policy: string): Unfit {
  return {
    reason: 'evicts_keys',
    detail: `Redis deletes keys when its memory is full (maxmemory-policy ${policy}): sessions are then lost, and revoked tokens become valid again. Set maxmemory-policy noeviction.`,
  }
}

/** Logs each change once. The connection itself logs that it cannot be established. */
function createHealthReport(log: StoreLog) {
  let reported: string | undefined
  let warned = ''
  return {
    report(unfit: Unfit | undefined, warnings: StoreHealth['warnings']): void {
      const reason = unfit?.reason === 'unreachable' ? reported : unfit?.reason
      if (reason !== reported && unfit !== undefined)
        log.warn({ ...unfit }, 'Redis cannot serve requests.')
      if (reason !== reported && unfit === undefined) log.info({}, 'Redis serves requests again.')
      reported = reason
      const warning = warnings.map(({ message }) => message).join(' ')
      if (warning !== warned && warning !== '')
        log.warn({ warning }, 'Redis is not safe to keep sessions in.')
      warned = warning
    },
  }
}
