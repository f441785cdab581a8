/** Health of Redis, from a probe every two seconds, independent of how often it is read. */

import { AppError, storeUnavailable } from '../errors.ts'
import type { StoreHealth } from './port.ts'
import type { ProbeResult } from './redis-probe.ts'
import { explainAnnounced, explainUnfit, type Unfit } from './redis-unfit.ts'
import type { StoreLog } from './store-log.ts'

export interface RedisHealthOptions {
  /** Probes Redis. Always resolves, within a second. */
  readonly probe: () => Promise<ProbeResult>
  readonly log: StoreLog
  /** Whether the server's address is one that it announces, rather than a configured one. */
  readonly isAnnounced?: boolean
  /** How to treat a Redis that may evict keys: warn, or not ready. */
  readonly eviction: 'warn' | 'refuse'
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

const PROBE_EVERY_MS = 2000
/** Results older than this are probed again when they are read. */
const FRESH_MS = 3000

const NOT_CONNECTED: Unfit = { reason: 'unreachable', detail: 'Redis is not connected yet.' }

export class RedisHealth {
  readonly #options: RedisHealthOptions
  readonly #report: ReturnType<typeof createHealthReport>
  readonly #probe: ReturnType<typeof createProbeLoop>
  #isConnected = false
  #closed = false
  #unfit: Unfit | undefined = NOT_CONNECTED
  #hung: Unfit | undefined
  #warnings: StoreHealth['warnings'] = []
  #probedAt = Number.NEGATIVE_INFINITY

  constructor(options: RedisHealthOptions) {
    this.#options = options
    this.#report = createHealthReport(options.log)
    this.#probe = createProbeLoop(async () => this.#note(await options.probe()))
  }

  #note({ unfit, evictionPolicy }: ProbeResult): void {
    // The cause of the loss explains more than the commands that failed with it.
    if (!this.#isConnected || this.#closed) return
    this.#probedAt = this.#options.monotonicNow()
    // Cleared here too: after a hang shorter than a command's deadline, no command was late.
    this.#hung = unfit?.reason === 'unreachable' ? unfit : undefined
    if (this.#hung !== undefined) return
    const warning = evictionPolicy === undefined ? undefined : evicts(evictionPolicy)
    this.#warnings = warning ? [{ code: warning.reason, message: warning.detail }] : []
    this.#unfit = unfit ?? (this.#options.eviction === 'refuse' ? warning : undefined)
    this.#report.report(this.#unfit, this.#warnings)
  }

  /** The connection is ready. After a loss, probes immediately. */
  connected(): void {
    const wasLost = !this.#isConnected
    this.#isConnected = true
    if (wasLost && !this.#closed) void this.#probe.now()
  }

  /** The connection was lost, or could not be established. */
  lost(error: unknown): void {
    this.#isConnected = false
    this.#probe.pause()
    this.#hung = undefined
    this.#unfit = this.#options.isAnnounced ? explainAnnounced(error) : explainUnfit(error)
    this.#report.report(this.#unfit, this.#warnings)
  }

  /** A command missed its deadline: Redis counts as hung until one succeeds. */
  late(error: unknown): void {
    this.#hung = explainUnfit(error)
  }

  inTime(): void {
    this.#hung = undefined
  }

  /**
   * @param freshMs results older than this are probed again
   * @throws AppError `unavailable`, whose message is the reason
   */
  async check(freshMs = FRESH_MS): Promise<StoreHealth> {
    if (this.#closed) throw storeUnavailable(new Error('The store is closed.'))
    const isFresh = this.#options.monotonicNow() - this.#probedAt <= freshMs
    if (this.#isConnected && !isFresh) await this.#probe.now()
    const why = this.#hung ?? this.#unfit
    if (why !== undefined) throw new AppError('unavailable', why.detail, { retryAfterSeconds: 1 })
    return { warnings: this.#warnings }
  }

  isFit(): boolean {
    return !this.#closed && (this.#hung ?? this.#unfit) === undefined
  }

  close(): void {
    this.#closed = true
    this.#probe.pause()
  }
}

/** One probe at a time; the next starts two seconds after this one started. */
function createProbeLoop(probe: () => Promise<void>) {
  let probing: Promise<void> | undefined
  let next: NodeJS.Timeout | undefined

  function now(): Promise<void> {
    clearTimeout(next)
    next = setTimeout(() => void now(), PROBE_EVERY_MS).unref()
    probing ??= probe().finally(() => {
      probing = undefined
    })
    return probing
  }

  return {
    now,
    /** Until `now` is called again. */
    pause: () => clearTimeout(next),
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
