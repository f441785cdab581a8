/** The session as a tool sees it: what the tool reads from it is shown to the call first. */

import type { Account, ToolSession } from './context.ts'

/** `onRead` sees values under the names tools know them by, so that masked fields are found. */
export function watchSession(session: ToolSession, onRead: (value: unknown) => void): ToolSession {
  return new WatchedSession(session, onRead)
}

/** A class, since objects with getters of their own are dear: no two of them have the same form. */
class WatchedSession implements ToolSession {
  readonly #session: ToolSession
  readonly #onRead: (value: unknown) => void
  readonly startSignIn: ToolSession['startSignIn']
  readonly isSignedIn: ToolSession['isSignedIn']
  readonly end: ToolSession['end']
  readonly set: ToolSession['set']

  constructor(session: ToolSession, onRead: (value: unknown) => void) {
    this.#session = session
    this.#onRead = onRead
    // Tools take it apart.
    this.startSignIn = (upstream) => session.startSignIn(upstream)
    this.isSignedIn = (upstream) => session.isSignedIn(upstream)
    this.end = () => session.end()
    this.set = (name, value) => session.set(name, value)
    this.account = this.account.bind(this)
    this.get = this.get.bind(this)
  }

  get state() {
    return this.#session.state
  }

  get connectedAt() {
    return this.#session.connectedAt
  }

  get expiresAt() {
    return this.#session.expiresAt
  }

  get handle() {
    return this.#session.handle
  }

  async account(upstream?: string): Promise<Account | undefined> {
    const account = await this.#session.account(upstream)
    this.#onRead(account)
    return account
  }

  get(name: string): unknown {
    const value = this.#session.get(name)
    this.#onRead({ [name]: value })
    return value
  }
}
