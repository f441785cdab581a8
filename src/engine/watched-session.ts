/** The session as a tool sees it: what the tool reads from it is shown to the call first. */

import type { ToolSession } from './context.ts'

/** `onRead` sees values under the names tools know them by, so that masked fields are found. */
export function watchSession(session: ToolSession, onRead: (value: unknown) => void): ToolSession {
  return {
    get state() {
      return session.state
    },
    get connectedAt() {
      return session.connectedAt
    },
    get expiresAt() {
      return session.expiresAt
    },
    get handle() {
      return session.handle
    },
    async account() {
      const account = await session.account()
      onRead(account)
      return account
    },
    get(name) {
      const value = session.get(name)
      onRead({ [name]: value })
      return value
    },
    startSignIn: session.startSignIn,
    end: session.end,
    set: session.set,
  }
}
