/** A caller with an access token: it has the token's session, and no other. */

import type { CallLog, CallSession } from '../engine/call.ts'
import type { Caller } from '../engine/identity.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { ConnectionRecord } from '../mcp/legacy/connection.ts'
import type { TokenSession } from '../mcp/nodes/session-ends.ts'
import type { KnownClient, Origin, RequestOrigins } from '../mcp/origin.ts'
import { UNLIMITED } from '../store/storage-budget.ts'
import { createCallSession } from './call-session.ts'
import type { TokenCaller } from './caller.ts'
import { identityOf } from './caller-identity.ts'
import { CallerOrigin, type OriginDeps } from './caller-origin.ts'

/** The session comes with the token: it was found, and counted as used, when that was checked. */
export class TokenOrigin extends CallerOrigin implements Origin, RequestOrigins {
  readonly #caller: TokenCaller
  readonly #connectionId: string | undefined
  readonly storage = UNLIMITED
  #identity: Caller | undefined

  constructor(deps: OriginDeps, source: CallLog, caller: TokenCaller, connectionId?: string) {
    super(deps, source)
    this.#caller = caller
    this.#connectionId = connectionId
  }

  get principal(): string {
    return this.#caller.session.id
  }

  get caller(): string {
    return this.#caller.session.id
  }

  get scopes(): readonly string[] {
    return this.#caller.scopes
  }

  get identity(): Caller {
    this.#identity ??= identityOf(this.deps.credentials, this.#caller)
    return this.#identity
  }

  get clientId(): string {
    return this.#caller.clientId
  }

  get tokenSession(): TokenSession {
    const { session, grantId, expiresAt } = this.#caller
    const token = {
      ...(expiresAt !== undefined && { expiresAt }),
      ...(grantId !== undefined && { grantId }),
    }
    return { id: session.id, since: session.connectedAt, ...token }
  }

  stateless(): Origin {
    return this
  }

  connection({ id }: ConnectionRecord): Origin {
    return new TokenOrigin(this.deps, this, this.#caller, id)
  }

  async connect() {
    return { sessionId: this.caller, needsToken: true }
  }

  // The token is good without the connection, and may have others.
  async disconnect(): Promise<void> {}

  openSession(handle: string | undefined, client: KnownClient): CallSession {
    if (handle !== undefined) {
      // Refused rather than ignored: what the call did would land in another session than it says.
      throw new ToolError('You are known by your access token. Leave `session` out.', {
        code: 'session_not_found',
      })
    }
    return createCallSession(this.deps, this.#caller.session, { access: 'token', client })
  }

  async subscribe(uri: string, wanted: boolean): Promise<void> {
    const id = this.#connectionId
    if (id !== undefined) await this.deps.connections.subscribe(id, uri, wanted)
  }
}
