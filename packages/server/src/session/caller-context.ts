/** Base class of all request contexts. */

import type { CallAudit, CallLog, ToolCall } from '../engine/call.ts'
import type { Logger } from '../logger.ts'
import type { McpSessions } from '../mcp/legacy/mcp-session.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Blocks } from './blocks.ts'
import type { CallSessionDeps } from './call-session.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export interface RequestContextDeps extends CallSessionDeps {
  readonly mcpSessions: McpSessions
  readonly upstreamAccess: UpstreamAccess
  /** People whose sessions are refused. */
  readonly blocks: Pick<Blocks, 'current'>
  /** The upstream API for clients without a person. */
  readonly serviceAccess: UpstreamAccess
  /** Initial time-to-live of a session opened with an anonymous MCP session, in seconds. */
  readonly unusedTtlSeconds: number
}

/** A class, because each call creates an instance: methods on the prototype need no allocation. */
export abstract class CallerContext {
  protected readonly deps: RequestContextDeps
  readonly #source: CallLog

  constructor(deps: RequestContextDeps, source: CallLog) {
    this.deps = deps
    this.#source = source
  }

  get log(): Logger {
    return this.#source.log
  }

  audit(entry: CallAudit): void {
    this.#source.audit(entry)
  }

  upstreamFor(...[session, onAnswer, limit]: Parameters<ToolCall['upstreamFor']>): Upstream {
    return this.deps.upstreamAccess(session, onAnswer, limit)
  }
}
