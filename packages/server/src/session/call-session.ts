/** The session of one tool call: opened lazily, read once, written through to the store. */

import { setTimeout as delay } from 'node:timers/promises'
import type { CallSession } from '../engine/call.ts'
import { noPerson, tokenSignInEnded, unknownUpstream } from '../engine/require-sign-in.ts'
import type { CancelSignal } from '../engine/time-limit.ts'
import type { SignInLink } from '../engine/tool-context.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { KnownClient } from '../mcp/request-context.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import type { SessionManager } from './manager.ts'
import { isFor, type OnBehalf, type Subject } from './on-behalf.ts'
import type { Session, SessionAccess } from './record.ts'
import { isRefused, signInEnded } from './refresh-failure.ts'
import { checkDataName, checkDataSize, WriteQueue } from './session-data.ts'
import type { SignInLinks } from './sign-in-link.ts'
import type { SignOut } from './sign-out.ts'

const POLL_MS = 300

export interface CallSessionDeps {
  readonly sessions: SessionManager
  readonly credentials: CredentialStore
  readonly links: SignInLinks
  readonly signOut: SignOut
  /** URL of the page of a sign-in link, by the link's handle. */
  readonly linkUrl: (handle: string) => Promise<string>
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** Upstreams for sign-in in addition to that of `credentials`; none if left out. */
  readonly signInUpstreams?: SignInUpstreams | undefined
  /** Token exchange by the names of upstreams that use it; undefined is the first upstream. */
  readonly onBehalf?: ReadonlyMap<string | undefined, OnBehalf> | undefined
  /** Limit of the session's values together, in bytes of JSON; none if left out. */
  readonly dataLimitBytes?: number
  /** The upstreams with a service account, by name; undefined stands for the first. */
  readonly serviceAccounts?: ReadonlySet<string | undefined> | undefined
}

/** The upstreams of a server that users sign in at, or paste API keys for. */
export interface SignInUpstreams {
  /** Name of the first upstream; undefined if it has no sign-in. */
  readonly first: string | undefined
  readonly further: ReadonlyMap<string, CredentialStore>
}

export interface NewSession {
  readonly access: SessionAccess
  readonly client: KnownClient
  /** Called after the call opened a session; links it to the caller, returns the session to use. */
  readonly opened?: (session: Session) => Promise<Session>
  /** Called after the call ended the session. */
  readonly ended?: () => Promise<void>
  /** Whether the caller has a personal access token: nobody else may sign in for it. */
  readonly isPersonal?: boolean | undefined
  /** The storage budget the call's writes are charged to; unlimited if left out. */
  readonly storage?: StorageBudget
  /** The caller's token, for upstreams that exchange it. */
  readonly subject?: Subject | undefined
  /** Whether the caller is a client without a person: nobody could sign in. */
  readonly isMachine?: boolean | undefined
}

/** Wraps the caller's session; without one, opens it lazily with the settings of `fresh`. */
export function createCallSession(
  deps: CallSessionDeps,
  existing: Session | undefined,
  fresh: NewSession,
): CallSession {
  return new LiveSession(deps, existing, fresh)
}

class LiveSession implements CallSession {
  readonly #deps: CallSessionDeps
  readonly #fresh: NewSession
  #session: Session | undefined
  #opening: Promise<Session> | undefined
  #writes: WriteQueue | undefined

  constructor(deps: CallSessionDeps, existing: Session | undefined, fresh: NewSession) {
    this.#deps = deps
    this.#fresh = fresh
    this.#session = existing
  }

  id(): string | undefined {
    return this.#session?.id
  }

  get state() {
    return this.#credentials() === undefined ? 'anonymous' : 'authenticated'
  }

  get connectedAt() {
    return this.#session && new Date(this.#session.connectedAt)
  }

  get expiresAt() {
    return this.#session && new Date(this.#session.expiresAt)
  }

  get handle() {
    return this.#session?.access === 'handle' ? this.#session.id : undefined
  }

  isSignedIn(upstream?: string): boolean {
    return this.#credentials(upstream) !== undefined
  }

  hasServiceAccount(upstream?: string): boolean {
    return this.#fresh.isMachine === true && this.#deps.serviceAccounts?.has(upstream) === true
  }

  async account(upstream?: string) {
    return this.#credentials(upstream)?.account
  }

  get(name: string): unknown {
    const { data } = this.#session ?? {}
    return data !== undefined && Object.hasOwn(data, name) ? data[name] : undefined
  }

  /** Writes one value after the other: each is measured together with those before. */
  set(name: string, value: unknown): Promise<void> {
    this.#writes ??= new WriteQueue()
    return this.#writes.run(() => this.#write(name, value))
  }

  async #write(name: string, value: unknown): Promise<void> {
    checkDataName(name)
    const { id, data } = await this.#opened()
    checkDataSize(data, { ...data, [name]: value }, this.#deps.dataLimitBytes)
    const { storage = UNLIMITED } = this.#fresh
    if (storage !== UNLIMITED) await storage.spend(jsonBytes(value) + name.length)
    await this.#deps.sessions.update(id, `data.${name}`, value)
    const session = this.#session
    if (session !== undefined) this.#session = { ...session, data: { ...data, [name]: value } }
  }

  async startSignIn(upstream?: string): Promise<SignInLink> {
    if (this.#fresh.isPersonal) throw tokenSignInEnded(upstream)
    if (this.#fresh.isMachine) throw noPerson(upstream)
    const leadsTo = this.#further(upstream) === undefined ? undefined : upstream
    if (leadsTo === undefined && this.#signsInNowhere) throw unknownUpstream(upstream)
    const { id } = await this.#opened()
    const { client, storage = UNLIMITED } = this.#fresh
    const clientName = client.facts.clientName ?? 'An AI client'
    const { handle, ...link } = await this.#deps.links.issue(id, clientName, storage, leadsTo)
    return { url: await this.#deps.linkUrl(handle), ...link }
  }

  async waitForSignIn(
    milliseconds: number,
    signal: Pick<CancelSignal, 'aborted'>,
    upstream?: string,
  ): Promise<boolean> {
    const deadline = performance.now() + milliseconds
    while (this.#session !== undefined && !signal.aborted) {
      this.#session = await this.#deps.sessions.peek(this.#session.id)
      if (this.isSignedIn(upstream)) return true
      if (performance.now() > deadline) return false
      await delay(POLL_MS)
    }
    return false
  }

  async signInOnBehalf(upstream?: string): Promise<boolean> {
    await this.#exchange(upstream, undefined)
    return this.isSignedIn(upstream)
  }

  async tokenOnBehalf(upstream?: string, rejected?: string): Promise<string | undefined> {
    // A tool that does not declare the sign-in must not cause one.
    if (this.#stored(upstream)?.exchangedFor === undefined) return undefined
    await this.#exchange(upstream, rejected)
    const credentials = this.#credentials(upstream)
    if (credentials === undefined) throw signInEnded()
    return credentials.exchangedFor && credentials.accessToken
  }

  async end(): Promise<boolean> {
    if (this.#session === undefined) return false
    const ended = await this.#deps.signOut(this.#session.id)
    this.#session = undefined
    await this.#fresh.ended?.()
    return ended
  }

  /** Ignores `state`: an `authenticated` record may hold credentials that do not decrypt. */
  #credentials(upstream?: string): Credentials | undefined {
    const credentials = this.#further(upstream) ?? this.#deps.credentials
    if (this.#session === undefined) return undefined
    if (isRefused(credentials.failure(this.#session), this.#deps.now())) return undefined
    const found = credentials.read(this.#session)
    return found && isFor(found, this.#fresh.subject, this.#deps.now()) ? found : undefined
  }

  /** The credentials, whether they are valid for this call or not. */
  #stored(upstream: string | undefined): Credentials | undefined {
    const credentials = this.#further(upstream) ?? this.#deps.credentials
    return this.#session && credentials.read(this.#session)
  }

  async #exchange(upstream: string | undefined, rejected: string | undefined): Promise<void> {
    const { onBehalf, signInUpstreams } = this.#deps
    const isFirst = upstream === signInUpstreams?.first
    const exchange = onBehalf?.get(isFirst ? undefined : upstream)
    const { subject } = this.#fresh
    if (exchange === undefined || subject === undefined || this.#session === undefined) return
    this.#session = await exchange(this.#session.id, subject, rejected)
  }

  /** Undefined for the first upstream. */
  #further(upstream: string | undefined): CredentialStore | undefined {
    if (upstream === undefined) return undefined
    const { first, further } = this.#deps.signInUpstreams ?? {}
    const found = further?.get(upstream)
    if (found === undefined && upstream !== first) throw unknownUpstream(upstream)
    return found
  }

  get #signsInNowhere(): boolean {
    const { signInUpstreams } = this.#deps
    return signInUpstreams !== undefined && signInUpstreams.first === undefined
  }

  async #opened(): Promise<Session> {
    if (this.#session !== undefined) return this.#session
    // Several parts of a tool may need a session at the same time: they share one.
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<Session> {
    const { access, client, opened, storage = UNLIMITED } = this.#fresh
    if (access === 'token') {
      // A new session requires a newer token.
      throw new ToolError('The session has ended.', { code: 'session_not_found' })
    }
    const created = await this.#deps.sessions.create(access, client.facts, { storage })
    this.#session = opened === undefined ? created : await opened(created)
    return this.#session
  }
}
