/** A caller without a token: it is known by its connection, by the handle a call names, or by nothing. */

import type { CallLog, CallSession } from '../engine/call.ts'
import { ANONYMOUS } from '../engine/identity.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { ConnectionRecord } from '../mcp/legacy/connection.ts'
import type { ClientFacts, KnownClient, Origin, RequestOrigins } from '../mcp/origin.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import { createCallSession } from './call-session.ts'
import type { AnonymousCaller } from './caller.ts'
import { CallerOrigin, type OriginDeps } from './caller-origin.ts'
import type { Session } from './record.ts'

export class AnonymousOrigin extends CallerOrigin implements Origin, RequestOrigins {
  readonly tokenSession = undefined
  readonly scopes = undefined
  readonly identity = ANONYMOUS
  /** The address, also with a connection: whoever likes has a new one for each call. */
  readonly caller: string
  readonly #storageOf: () => StorageBudget
  readonly #connection: ConnectionRecord | undefined
  #storage: StorageBudget | undefined

  constructor(
    deps: OriginDeps,
    source: CallLog,
    { address }: Pick<AnonymousCaller, 'address'>,
    storageOf: () => StorageBudget,
    connection?: ConnectionRecord,
  ) {
    super(deps, source)
    this.caller = address
    this.#storageOf = storageOf
    this.#connection = connection
  }

  get principal(): string {
    return this.#connection?.id ?? 'anonymous'
  }

  get storage(): StorageBudget {
    this.#storage ??= this.#storageOf()
    return this.#storage
  }

  stateless(): Origin {
    return this
  }

  connection(connection: ConnectionRecord): Origin {
    const storageOf = () => this.storage
    return new AnonymousOrigin(this.deps, this, { address: this.caller }, storageOf, connection)
  }

  async connect(client: ClientFacts) {
    const { sessions, unusedTtlSeconds: ttlSeconds } = this.deps
    const { storage } = this
    const session = await sessions.create('connection', client, { ttlSeconds, storage })
    return { sessionId: session.id, needsToken: false }
  }

  async disconnect({ sessionId }: ConnectionRecord): Promise<void> {
    await this.deps.signOut(sessionId)
  }

  async openSession(handle: string | undefined, client: KnownClient): Promise<CallSession> {
    const { deps, storage } = this
    if (handle !== undefined) return sessionByHandle(deps, handle, client, storage)
    if (this.#connection === undefined) {
      return createCallSession(deps, undefined, { access: 'handle', client, storage })
    }
    const { id, sessionId } = this.#connection
    const opened = (created: Session) => adopt(deps, id, sessionId, created)
    const ended = () => unsubscribeAll(deps, id)
    const session = await deps.sessions.retrieve(sessionId)
    return createCallSession(deps, session, {
      access: 'connection',
      client,
      opened,
      ended,
      storage,
    })
  }

  async subscribe(uri: string, wanted: boolean): Promise<void> {
    if (this.#connection === undefined) return
    const { deps, storage } = this
    if (wanted && storage !== UNLIMITED) await storage.spend(jsonBytes(uri))
    await deps.connections.subscribe(this.#connection.id, uri, wanted)
  }
}

/** Only sessions that were given out as handles: others have an owner, and look unknown here. */
export async function sessionByHandle(
  deps: OriginDeps,
  handle: string,
  client: KnownClient,
  storage: StorageBudget,
): Promise<CallSession> {
  const session = handle.startsWith('ses_') ? await deps.sessions.peek(handle) : undefined
  if (session?.access !== 'handle') {
    throw new ToolError(
      'That session is unknown or has ended. Leave `session` out for a new one.',
      {
        code: 'session_not_found',
      },
    )
  }
  const used = await deps.sessions.use(session)
  return createCallSession(deps, used, { access: 'handle', client, storage })
}

/** What somebody subscribed to does not outlive their session. */
async function unsubscribeAll({ connections }: OriginDeps, id: string): Promise<void> {
  const { subscriptions = [] } = (await connections.peek(id)) ?? {}
  for (const uri of subscriptions) await connections.subscribe(id, uri, false)
}

/** Of calls that open a session for one connection at the same time, one gives it to all. */
async function adopt(
  { sessions, connections }: OriginDeps,
  id: string,
  replaced: string,
  created: Session,
): Promise<Session> {
  // Nothing of the ended session comes along.
  const { sessionId } = await connections.revise(id, (connection) =>
    connection.sessionId === replaced ? { sessionId: created.id, subscriptions: [] } : {},
  )
  if (sessionId === created.id) return created
  await sessions.end(created.id)
  return (await sessions.retrieve(sessionId)) ?? created
}
