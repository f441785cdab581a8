/** Creates request contexts: each gives access to the caller's own session only. */

import { auditCall, type CallLog, type CallSession } from '../engine/call.ts'
import { LOCAL } from '../engine/identity.ts'
import type { Logger } from '../logger.ts'
import type { KnownClient, RequestContext, RequestContexts } from '../mcp/request-context.ts'
import { type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import { AnonymousContext, sessionByHandle } from './anonymous-context.ts'
import { refuseBlockedOwner } from './blocks.ts'
import { createCallSession } from './call-session.ts'
import type { Caller } from './caller.ts'
import { CallerContext, type RequestContextDeps, TokenContext } from './caller-context.ts'
import type { Session } from './record.ts'

export type RequestContextFactory = ReturnType<typeof createRequestContexts>

export function createRequestContexts(deps: RequestContextDeps) {
  return {
    /**
     * The contexts of one HTTP request, once its caller is authenticated; `source` has its log.
     * `storageOf` returns the storage budget of a caller without a token.
     */
    of: (
      caller: Caller,
      source: CallLog,
      storageOf: () => StorageBudget = () => UNLIMITED,
    ): RequestContexts =>
      caller.kind === 'token'
        ? new TokenContext(deps, source, caller)
        : new AnonymousContext(deps, source, caller, storageOf),
    /** The context of the only user of a stdio process. */
    process: (log: Logger, subscribe: RequestContext['subscribe']): RequestContext =>
      new ProcessContext(deps, log, subscribe),
  }
}

/** The context of the only user of a stdio process. */
class ProcessContext extends CallerContext implements RequestContext {
  readonly principal = 'process'
  readonly caller = 'process'
  readonly scopes = undefined
  readonly identity = LOCAL
  readonly storage = UNLIMITED
  readonly subscribe: RequestContext['subscribe']
  #sessionId: string | undefined
  readonly #subscribed = new Set<string>()

  constructor(deps: RequestContextDeps, log: Logger, subscribe: RequestContext['subscribe']) {
    super(deps, { log, audit: (entry) => auditCall(log, entry) })
    this.subscribe = async (uri, wanted) => {
      await subscribe(uri, wanted)
      if (wanted) this.#subscribed.add(uri)
      else this.#subscribed.delete(uri)
    }
  }

  async openSession(handle: string | undefined, client: KnownClient): Promise<CallSession> {
    if (handle !== undefined) return sessionByHandle(this.deps, handle, client, UNLIMITED)
    const id = this.#sessionId
    const session = id === undefined ? undefined : await this.deps.sessions.retrieve(id)
    await refuseBlockedOwner(this.deps.blocks, session)
    const opened = async (created: Session) => {
      this.#sessionId = created.id
      return created
    }
    const ended = async () => {
      for (const uri of this.#subscribed) await this.subscribe(uri, false)
    }
    return createCallSession(this.deps, session, { access: 'process', client, opened, ended })
  }
}
