/** The upstream API as the person of one session, with every answer shown to the caller first. */

import type { CallSession } from '../engine/call.ts'
import type { CallScope } from '../upstream/api-attempt.ts'
import type { ApiClient } from '../upstream/api-client.ts'
import type { TokenSource, Upstream } from '../upstream/upstream.ts'
import { type FreshToken, signInEnded } from './refresh.ts'

/** `session` is asked at each request, since a tool may open its session on the way. */
export type UpstreamAccess = (
  session: Pick<CallSession, 'id' | 'state'>,
  onAnswer: (answer: unknown) => void,
  limit?: CallScope['limit'],
) => Upstream

export function createUpstreamAccess(api: ApiClient, freshToken: FreshToken): UpstreamAccess {
  return (session, onAnswer, limit) => {
    let lastToken: string | undefined
    const tokens: TokenSource = {
      async accessToken({ forceRefresh, signal } = {}) {
        const id = session.id()
        if (id === undefined) return undefined
        lastToken = await freshToken(id, forceRefresh ? lastToken : undefined, signal)
        // Ended since the call began: the API must not be asked as nobody in its place.
        if (lastToken === undefined && session.state === 'authenticated') throw signInEnded()
        return lastToken
      },
    }
    return api.forCaller(tokens, { onAnswer, limit })
  }
}
