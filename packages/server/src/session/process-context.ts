/** The context of the only user of a stdio process. */

import { auditCall, type CallAudit, type CallSession, type ToolCall } from '../engine/call.ts'
import { LOCAL } from '../engine/identity.ts'
import type { Logger } from '../logger.ts'
import type { KnownClient, RequestContext } from '../mcp/request-context.ts'
import { UNLIMITED } from '../store/storage-budget.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type SessionByHandleDeps, sessionByHandle } from './anonymous-sessions.ts'
import { refuseBlockedOwner } from './blocks.ts'
import { createCallSession } from './call-session.ts'
import type { Session } from './record.ts'
import type { UpstreamAccess } from './upstream-access.ts'

interface ProcessContextDeps extends SessionByHandleDeps {
  readonly upstreamAccess: UpstreamAccess
}

export class ProcessContext implements RequestContext {
  readonly principal = 'process'
  readonly caller = 'process'
  readonly scopes = undefined
  readonly identity = LOCAL
  readonly storage = UNLIMITED
  readonly log: Logger
  readonly subscribe: RequestContext['subscribe']
  readonly #deps: ProcessContextDeps
  #sessionId: string | undefined
  readonly #subscribed = new Set<string>()

  constructor(deps: ProcessContextDeps, log: Logger, subscribe: RequestContext['subscribe']) {
    this.#deps = deps
    this.log = log
    this.subscribe = async (uri, wanted) => {
      await subscribe(uri, wanted)
      if (wanted) this.#subscribed.add(uri)
      else this.#subscribed.delete(uri)
    }
  }

  audit(entry: CallAudit): void {
    auditCall(this.log, entry)
  }

  upstreamFor(...[session, onAnswer, limit]: Parameters<ToolCall['upstreamFor']>): Upstream {
    return this.#deps.upstreamAccess(session, onAnswer, limit)
  }

  async openSession(handle: string | undefined, client: KnownClient): Promise<CallSession> {
    if (handle !== undefined) return sessionByHandle(this.#deps, handle, client, UNLIMITED)
    const id = this.#sessionId
    const session = id === undefined ? undefined : await this.#deps.sessions.retrieve(id)
    await refuseBlockedOwner(this.#deps.blocks, session)
    const opened = async (created: Session) => {
      this.#sessionId = created.id
      return created
    }
    const ended = async () => {
      for (const uri of this.#subscribed) await this.subscribe(uri, false)
    }
    return createCallSession(this.#deps, session, { access: 'process', client, opened, ended })
  }
}
