/** The upstream API as the person of one session, with every answer shown to the caller first. */

import type { CallSession } from '../engine/call.ts'
import type { ApiClient } from '../upstream/api-client.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { FreshToken } from './refresh.ts'
import { signInEnded } from './refresh-failure.ts'

/** `session` is asked at each request, since a tool may open its session on the way. */
export type UpstreamAccess = (
  session: Pick<CallSession, 'id' | 'state'>,
  onAnswer: (answer: unknown) => void,
) => Upstream

export function createUpstreamAccess(api: ApiClient, freshToken: FreshToken): UpstreamAccess {
  return (session, onAnswer) => {
    let lastToken: string | undefined
    const upstream = api.forCaller({
      async accessToken({ forceRefresh, signal } = {}) {
        const id = session.id()
        if (id === undefined) return undefined
        lastToken = await freshToken(id, forceRefresh ? lastToken : undefined, signal)
        // Ended since the call began: the API must not be asked as nobody in its place.
        if (lastToken === undefined && session.state === 'authenticated') throw signInEnded()
        return lastToken
      },
    })
    async function shown<T>(answer: Promise<T>): Promise<T> {
      const value = await answer
      onAnswer(value)
      return value
    }
    return {
      get: (...request) => shown(upstream.get(...request)),
      post: (...request) => shown(upstream.post(...request)),
      put: (...request) => shown(upstream.put(...request)),
      patch: (...request) => shown(upstream.patch(...request)),
      delete: (...request) => shown(upstream.delete(...request)),
    }
  }
}
