/** Finds each caller's session, and nobody else's. */

import { auditCall, type CallLog, type CallSession } from '../engine/call.ts'
import { LOCAL } from '../engine/identity.ts'
import type { Logger } from '../logger.ts'
import type { KnownClient, Origin, RequestOrigins } from '../mcp/origin.ts'
import { type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import { AnonymousOrigin, sessionByHandle } from './anonymous-origin.ts'
import { createCallSession } from './call-session.ts'
import type { Caller } from './caller.ts'
import { CallerOrigin, type OriginDeps } from './caller-origin.ts'
import type { Session } from './record.ts'
import { TokenOrigin } from './token-origin.ts'

export interface Origins {
  /**
   * The origins of one HTTP request, once its caller is known; `source` has its log. `storageOf` gives
   * the budget of what a caller without a token has stored.
   */
  of(caller: Caller, source: CallLog, storageOf?: () => StorageBudget): RequestOrigins
  /** The one person a process serves over stdio. */
  process(log: Logger, subscribe: Origin['subscribe']): Origin
}

export function createOrigins(deps: OriginDeps): Origins {
  return {
    of: (caller, source, storageOf = () => UNLIMITED) =>
      caller.kind === 'token'
        ? new TokenOrigin(deps, source, caller)
        : new AnonymousOrigin(deps, source, caller, storageOf),
    process: (log, subscribe) => new ProcessOrigin(deps, log, subscribe),
  }
}

/** The one person of a process over stdio. */
class ProcessOrigin extends CallerOrigin implements Origin {
  readonly principal = 'process'
  readonly caller = 'process'
  readonly scopes = undefined
  readonly identity = LOCAL
  readonly storage = UNLIMITED
  readonly subscribe: Origin['subscribe']
  #sessionId: string | undefined
  readonly #subscribed = new Set<string>()

  constructor(deps: OriginDeps, log: Logger, subscribe: Origin['subscribe']) {
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
