/** Base of all other parts: the instrumented store, telemetry and outgoing requests. */

import type { Config, Secrets } from '../config.ts'
import { observeStore } from '../store/observed-store.ts'
import type { Store } from '../store/port.ts'
import { type Metrics, NO_METRICS } from '../telemetry/metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { createOutgoing, type Outgoing } from '../upstream/outgoing.ts'

interface Given {
  readonly config: Config
  readonly secrets: Secrets
  readonly store: Store
  readonly tracing?: Tracing | undefined
  readonly shareMetrics?: ((own: Metrics) => Metrics) | undefined
}

export interface Observed {
  readonly store: Store
  readonly telemetry: Telemetry
  readonly outgoing: Outgoing
}

export async function observed<Deps extends Given>(deps: Deps): Promise<Deps & Observed> {
  const { config, secrets, tracing, shareMetrics = (own: Metrics) => own } = deps
  const { app, serves, outgoing } = config
  const own = serves.metrics
    ? // Lazy import: prom-client is needed for metrics only.
      (await import('../telemetry/prometheus.ts')).createMetrics({ version: app.version })
    : NO_METRICS
  const telemetry = { metrics: shareMetrics(own), tracing }
  const { httpProxy, httpsProxy } = secrets
  return {
    ...deps,
    telemetry,
    store: observeStore(deps.store, telemetry, config.store.kind),
    outgoing: createOutgoing({ httpProxy, httpsProxy, noProxy: outgoing.noProxy }),
  }
}
