/** The metrics of this node, in a prom-client registry. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { createDurations } from './durations.ts'
import {
  DROP_REASONS,
  type DropReason,
  type MetricSnapshot,
  type Metrics,
  SESSION_CHANGES,
  type SessionChange,
  STREAM_KINDS,
  type StreamKind,
} from './metrics.ts'

/** The scopes of rate and concurrency limits. */
const LIMIT_SCOPES = [
  ...['caller', 'address', 'page', 'tool'],
  ...['register', 'authorize', 'token', 'revoke', 'introspect'],
  ...['streams', 'node_streams', 'calls', 'connections'],
  ...['body_bytes', 'sockets'],
]
const PROVIDER_ERRORS = [
  ...['provider_unavailable', 'access_denied', 'invalid_client'],
  ...['invalid_grant', 'invalid_response'],
]

export interface MetricsOptions {
  readonly version: string
}

/** Creates a separate registry for each server of a process. */
export function createMetrics({ version }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'mcp_build_info',
    help: 'Always 1; the labels name the version.',
    labelNames: ['version'],
    // Of several workers: 1, not their number.
    aggregator: 'first',
    registers,
  }).set({ version }, 1)
  const durations = createDurations(registry)
  const limits = limitMetrics(registers)
  const people = peopleMetrics(registers)
  const store = storeMetrics(registers)
  return {
    ...{ ...durations, ...limits, ...people, ...store },
    async scrape() {
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown as MetricSnapshot,
    close: () => registry.clear(),
  }
}

/** Open streams, and what limits and checks refuse. */
function limitMetrics(registers: Registry[]) {
  const open = new Gauge({
    name: 'mcp_streams_open',
    help: 'Open streams that clients listen to, by kind.',
    labelNames: ['kind'],
    registers,
  })
  const limited = new Counter({
    name: 'mcp_rate_limited_total',
    help: 'Requests refused by a limit, by the name of the limit.',
    labelNames: ['scope'],
    registers,
  })
  const dropped = new Counter({
    name: 'mcp_client_messages_dropped_total',
    help: 'Responses, progress and cancellations of 2025-era clients that were dropped, by reason. forged_id: the server never issued that id.',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of DROP_REASONS) dropped.inc({ reason }, 0)
  for (const kind of STREAM_KINDS) open.set({ kind }, 0)
  for (const scope of LIMIT_SCOPES) limited.inc({ scope }, 0)
  return {
    streamOpened: (kind: StreamKind) => open.inc({ kind }),
    streamClosed: (kind: StreamKind) => open.dec({ kind }),
    clientMessageDropped: (reason: DropReason) => dropped.inc({ reason }),
    rateLimited: (scope: string) =>
      limited.inc({ scope: LIMIT_SCOPES.includes(scope) ? scope : 'other' }),
  }
}

function peopleMetrics(registers: Registry[]) {
  const sessions = new Counter({
    name: 'mcp_sessions_total',
    help: 'Sessions that this node created, signed in or ended. No node observes an expiry, so these do not add up to the live sessions.',
    labelNames: ['change'],
    registers,
  })
  const signIns = new Counter({
    name: 'mcp_sign_ins_total',
    help: 'Returns from the identity provider, by outcome, and by upstream after the first.',
    labelNames: ['outcome', 'upstream'],
    registers,
  })
  const refreshes = new Counter({
    name: 'mcp_upstream_refreshes_total',
    help: 'Refreshes of upstream access tokens, by outcome: ok, or the code of the error, and by upstream after the first.',
    labelNames: ['outcome', 'upstream'],
    registers,
  })
  // Initializes series to 0, so that rules can sum and compare before the first event.
  for (const change of SESSION_CHANGES) sessions.inc({ change }, 0)
  const ended = ['signed_in', 'unknown_state', 'other_browser', 'session_ended', 'account_refused']
  for (const outcome of [...ended, ...PROVIDER_ERRORS]) signIns.inc({ outcome }, 0)
  for (const outcome of ['ok', ...PROVIDER_ERRORS]) refreshes.inc({ outcome }, 0)
  return {
    session: (change: SessionChange) => sessions.inc({ change }),
    signIn: (outcome: string, upstream?: string) => signIns.inc(labelsOf(outcome, upstream)),
    refresh: (outcome: string, upstream?: string) => refreshes.inc(labelsOf(outcome, upstream)),
  }
}

/** The first upstream has no label, so that its series stay the same when others are added. */
function labelsOf(outcome: string, upstream: string | undefined) {
  return upstream === undefined ? { outcome } : { outcome, upstream }
}

function storeMetrics(registers: Registry[]) {
  const errors = new Counter({
    name: 'mcp_store_errors_total',
    help: 'Commands that the store did not answer in time, or at all, by command.',
    labelNames: ['command'],
    registers,
  })
  return {
    storeError: (command: string) => errors.inc({ command }),
    storeShards: (count: Parameters<Metrics['storeShards']>[0]) => shardGauges(count, registers),
  }
}

function shardGauges(count: Parameters<Metrics['storeShards']>[0], registers: Registry[]): void {
  new Gauge({
    name: 'mcp_redis_shards',
    help: 'Redis servers that hold data: 1, or the masters of a cluster that this node knows.',
    aggregator: 'max',
    registers,
    collect() {
      this.set(count().total)
    },
  })
  new Gauge({
    name: 'mcp_redis_shards_ready',
    help: 'Redis servers that hold data and can serve requests of this node.',
    aggregator: 'min',
    registers,
    collect() {
      this.set(count().ready)
    },
  })
}
