/**
 * Validates the features that a server's declaration turns off (`defineServer`), and derives what
 * is served.
 */

import { z } from 'zod'
import type { Faults } from './faults.ts'
import type { RawVariables } from './sources.ts'

/** The protocol revisions that a server can serve; the second stands for all earlier ones too. */
export type Protocol = '2026-07-28' | '2025-11-25'

/** Every option defaults to on. A feature that is off is not routed, listed or advertised. */
export interface ServerOptions {
  /** The transports in addition to `/mcp`. */
  readonly transports?: {
    /** HTTP+SSE of the revisions before 2025-03-26: `/sse` and `/messages`. */
    readonly sse?: boolean
    /** Calls without the protocol: `/http`. */
    readonly direct?: boolean
  }
  /** The demo's identity provider and bank, while no upstream is configured; DEMO overrides it. */
  readonly demo?: boolean
  /**
   * Who sees the list of tools at `/`: everyone, or browsers whose client is signed in;
   * LANDING_TOOLS overrides it. False removes the page. The default is everyone, unless MCP_AUTH is
   * `required`.
   */
  readonly landingPage?: 'public' | 'signed-in' | false
  /** `/metrics`, on the main port or on its own port. */
  readonly metrics?: boolean
  /** Whether traces are sent to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names. */
  readonly traces?: boolean
  /** `['2026-07-28']` refuses clients of 2025-11-25 and earlier, and removes `/sse`. */
  readonly protocols?: readonly Protocol[]
}

/** What is served. */
export interface Serves {
  readonly sse: boolean
  readonly direct: boolean
  readonly landingPage: boolean
  readonly metrics: boolean
  readonly traces: boolean
  /** Whether clients of 2025-11-25 and earlier are served. */
  readonly era2025: boolean
}

const wanted = {
  transports: z.strictObject({ sse: z.boolean().optional(), direct: z.boolean().optional() }),
  demo: z.boolean(),
  landingPage: z.union([z.enum(['public', 'signed-in']), z.literal(false)]),
  metrics: z.boolean(),
  traces: z.boolean(),
  protocols: z
    .array(z.enum(['2026-07-28', '2025-11-25']))
    .refine((protocols) => protocols.includes('2026-07-28')),
} satisfies Record<keyof ServerOptions, z.ZodType>

const HINTS: Record<keyof ServerOptions, string> = {
  transports: 'an object with sse and direct, each true or false',
  demo: 'true or false',
  landingPage: "'public', 'signed-in' or false",
  metrics: 'true or false',
  traces: 'true or false',
  protocols: "['2026-07-28', '2025-11-25'] or ['2026-07-28']",
}

/** The fault of the options; undefined if they are valid. */
export function optionsFault(options: ServerOptions): string | undefined {
  for (const name of Object.keys(wanted) as (keyof ServerOptions)[]) {
    if (!wanted[name].optional().safeParse(options[name]).success) {
      return `${name} must be ${HINTS[name]}`
    }
  }
  const { transports, protocols } = options
  if (transports?.sse === true && protocols?.includes('2025-11-25') === false) {
    return "transports.sse must be false or left out without '2025-11-25' in protocols"
  }
  return undefined
}

/** The options as the variables that override them. */
export function optionVariables({ demo, landingPage }: ServerOptions): RawVariables {
  const tools = { public: 'show', 'signed-in': 'signed-in' } as const
  return {
    ...(demo === false && { DEMO: 'off' }),
    ...(landingPage && { LANDING_TOOLS: tools[landingPage] }),
  }
}

/** Decides what is served, and warns of variables that the options disable. */
export function chooseServed(
  options: ServerOptions,
  raw: RawVariables,
  faults: Pick<Faults, 'warn'>,
): Serves {
  const { transports = {}, landingPage, metrics = true, traces = true, protocols } = options
  const era2025 = protocols?.includes('2025-11-25') ?? true
  for (const [option, isOn, prefix] of [
    ['metrics', metrics, 'METRICS_'],
    ['traces', traces, 'OTEL_'],
  ] as const) {
    const idle = isOn ? [] : Object.keys(raw).filter((name) => name.startsWith(prefix))
    if (idle.length > 0) {
      faults.warn('option_off', `${idle.join(', ')}: no effect, since ${option} is false`)
    }
  }
  return {
    sse: era2025 && transports.sse !== false,
    direct: transports.direct !== false,
    landingPage: landingPage !== false,
    metrics,
    traces,
    era2025,
  }
}
