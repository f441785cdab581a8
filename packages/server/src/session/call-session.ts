/** The session as one tool call sees it: opened when first needed, read once, changed in the store. */

import { setTimeout as delay } from 'node:timers/promises'
import type { CallSession } from '../engine/call.ts'
import type { CancelSignal } from '../engine/cancel-signal.ts'
import type { SignInLink } from '../engine/context.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { ClientFacts } from '../mcp/origin.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import type { CredentialStore } from './credentials.ts'
import type { SessionManager } from './manager.ts'
import type { Session, SessionAccess } from './record.ts'
import type { SignInLinks } from './sign-in-link.ts'
import type { SignOut } from './sign-out.ts'

const POLL_MS = 300

export interface CallSessionDeps {
  readonly sessions: SessionManager
  readonly credentials: CredentialStore
  readonly links: SignInLinks
  readonly signOut: SignOut
  /** The address of a link's page, by its handle. */
  readonly linkUrl: (handle: string) => Promise<string>
}

export interface NewSession {
  readonly access: SessionAccess
  readonly client: ClientFacts
  /** Told when the call opened a session, so that the caller finds it again; says which one counts. */
  readonly opened?: (session: Session) => Promise<Session>
  /** What the call has stored counts for; unlimited if left out. */
  readonly storage?: StorageBudget
}

/** What tools may keep: names that reach neither outside `data` nor into an object's prototype. */
const DATA_NAME = /^(?!(__proto__|constructor|prototype)$)[A-Za-z0-9_-]{1,64}$/

/** Wraps the caller's session, or the promise to open one with `fresh` when there is none yet. */
export function createCallSession(
  deps: CallSessionDeps,
  existing: Session | undefined,
  fresh: NewSession,
): CallSession {
  const { sessions, credentials, links } = deps
  const { storage = UNLIMITED } = fresh
  let session = existing

  async function opened(): Promise<Session> {
    if (session !== undefined) return session
    if (fresh.access === 'token') {
      // Its owner brings a newer token for a new one.
      throw new ToolError('The session has ended.', { code: 'session_not_found' })
    }
    const created = await sessions.create(fresh.access, fresh.client, { storage })
    session = fresh.opened === undefined ? created : await fresh.opened(created)
    return session
  }

  /** A record may say `authenticated` while its credentials do not decrypt: that counts as no. */
  const readCredentials = () => session && credentials.read(session)

  async function startSignIn(): Promise<SignInLink> {
    const { id } = await opened()
    const clientName = fresh.client.clientName ?? 'An AI client'
    const { handle, ...link } = await links.issue(id, clientName, storage)
    return { url: await deps.linkUrl(handle), ...link }
  }

  async function waitForSignIn(
    milliseconds: number,
    signal: Pick<CancelSignal, 'aborted'>,
  ): Promise<boolean> {
    const deadline = performance.now() + milliseconds
    while (session !== undefined && !signal.aborted) {
      session = await sessions.peek(session.id)
      if (readCredentials() !== undefined) return true
      if (performance.now() > deadline) return false
      await delay(POLL_MS)
    }
    return false
  }

  async function end(): Promise<boolean> {
    if (session === undefined) return false
    const ended = await deps.signOut(session.id)
    session = undefined
    return ended
  }

  async function set(name: string, value: unknown): Promise<void> {
    if (!DATA_NAME.test(name))
      throw new ToolError('Session values have plain names.', { code: 'invalid_name' })
    const { id, data } = await opened()
    if (storage !== UNLIMITED) await storage.spend(jsonBytes(value) + name.length)
    await sessions.update(id, `data.${name}`, value)
    if (session !== undefined) session = { ...session, data: { ...data, [name]: value } }
  }

  return new CallSessionView({
    current: () => session,
    isSignedIn: () => readCredentials() !== undefined,
    account: async () => readCredentials()?.account,
    ...{ startSignIn, waitForSignIn, end, set },
  })
}

interface CallSessionParts
  extends Pick<CallSession, 'account' | 'startSignIn' | 'waitForSignIn' | 'end' | 'set'> {
  readonly current: () => Session | undefined
  readonly isSignedIn: () => boolean
}

/** A class, since objects with getters of their own are dear: no two of them have the same form. */
class CallSessionView implements CallSession {
  readonly #parts: CallSessionParts
  readonly id: CallSession['id']
  readonly get: CallSession['get']
  readonly account: CallSession['account']
  readonly startSignIn: CallSession['startSignIn']
  readonly waitForSignIn: CallSession['waitForSignIn']
  readonly end: CallSession['end']
  readonly set: CallSession['set']

  constructor(parts: CallSessionParts) {
    this.#parts = parts
    this.id = () => parts.current()?.id
    this.get = (name) => {
      const { data } = parts.current() ?? {}
      return data !== undefined && Object.hasOwn(data, name) ? data[name] : undefined
    }
    this.account = parts.account
    this.startSignIn = parts.startSignIn
    this.waitForSignIn = parts.waitForSignIn
    this.end = parts.end
    this.set = parts.set
  }

  get state() {
    return this.#parts.isSignedIn() ? 'authenticated' : 'anonymous'
  }

  get connectedAt() {
    const session = this.#parts.current()
    return session && new Date(session.connectedAt)
  }

  get expiresAt() {
    const session = this.#parts.current()
    return session && new Date(session.expiresAt)
  }

  get handle() {
    const session = this.#parts.current()
    return session?.access === 'handle' ? session.id : undefined
  }
}
