/** The session as passed to tools: reports values that the tool reads, so that they are masked. */

import type { Account, ToolSession } from './tool-context.ts'

/** `onRead` receives values under their names in the tool, by which masked fields are matched. */
export function watchSession(session: ToolSession, onRead: (value: unknown) => void): ToolSession {
  return new WatchedSession(session, onRead)
}

/** A class: own getters would give each object a hidden class of its own, which is slow. */
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
    // Bound, since tools destructure the session.
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
