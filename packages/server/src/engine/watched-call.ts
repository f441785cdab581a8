/** What is told of a tool call: its line in the audit log, its metric and its span. */

import { shortHash } from '../crypto/hash.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import type { ToolCall } from './call.ts'
import { outcomeLabel } from './outcome-labels.ts'

/** `watched` logs with the tool and the session; `finish` wants the outcome, once. */
type Work<T> = (watched: ToolCall, finish: (outcome: string) => void) => Promise<T>

/** Runs a call, and tells of it who called what and how it went: no arguments, no results. */
export function watchCall<T>(
  name: string,
  call: ToolCall,
  { metrics, tracing }: Telemetry,
  work: Work<T>,
): Promise<T> {
  const started = performance.now()
  // No getter for the log: objects with getters of their own are dear (`run-context.ts`).
  const watched = {
    ...call,
    log: call.log.child({ tool: name }),
    async openSession(handle: string | undefined) {
      const session = await call.openSession(handle)
      const id = session.id()
      if (id !== undefined) watched.log = watched.log.child({ session: shortHash(id) })
      return session
    },
  }
  const span = tracing?.start(toolSpan(name, call.meta))
  const finish = (outcome: string) => {
    const ms = performance.now() - started
    metrics.toolEnded(name, outcomeLabel(outcome), ms / 1000)
    if (span !== undefined) endSpan(span, outcome)
    const client = call.clientId
    const who = client === undefined ? {} : { client }
    watched.log.audit({ outcome, ms: Math.round(ms), ...who }, 'tool call')
  }
  metrics.toolStarted()
  const run = () => work(watched, finish)
  return span === undefined ? run() : span.run(run)
}

/** OpenTelemetry, semantic conventions for MCP, "Server". */
function toolSpan(name: string, carrier: object | undefined) {
  const attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
  }
  return { name: `tools/call ${name}`, kind: 'server', attributes, carrier } as const
}

function endSpan(span: Span, outcome: string): void {
  if (outcome !== 'ok' && outcome !== 'input_required') span.fail(outcomeLabel(outcome))
  span.end()
}
