/** What all origins of calls have in common. */

import type { CallAudit, CallLog, ToolCall } from '../engine/call.ts'
import type { Logger } from '../logger.ts'
import type { Connections } from '../mcp/legacy/connection.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { CallSessionDeps } from './call-session.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export interface OriginDeps extends CallSessionDeps {
  readonly connections: Connections
  readonly upstreamAccess: UpstreamAccess
  /** The first time-to-live of a session that is opened with an anonymous connection, in seconds. */
  readonly unusedTtlSeconds: number
}

/** Classes, since a call makes one of them: methods on the prototype cost nothing. */
export abstract class CallerOrigin {
  protected readonly deps: OriginDeps
  readonly #source: CallLog

  constructor(deps: OriginDeps, source: CallLog) {
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
