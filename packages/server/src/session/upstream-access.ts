/** The upstream API as the person of one session, with every answer shown to the caller first. */

import type { CallSession } from '../engine/call.ts'
import { callLogin } from '../engine/sign-in-ladder.ts'
import { AppError } from '../errors.ts'
import type { CallScope } from '../upstream/api-attempt.ts'
import type { ApiClient } from '../upstream/api-client.ts'
import type { TokenSource, Upstream } from '../upstream/upstream.ts'
import type { FreshToken } from './refresh.ts'
import { signInEnded } from './refresh-failure.ts'

/** `session` is asked at each request, since a tool may open its session on the way. */
export type UpstreamAccess = (
  session: Pick<CallSession, 'id' | 'state'>,
  onAnswer: (answer: unknown) => void,
  limit?: CallScope['limit'],
) => Upstream

export interface AccessOptions {
  /** The name of the upstream, unless it is the first: calls without a sign-in there are refused. */
  readonly upstream?: string | undefined
  /** Called with a key that the API refused; throws where the person has to paste another. */
  readonly onRefusedKey?: (sessionId: string, key: string) => Promise<void>
}

export function createUpstreamAccess(
  api: ApiClient,
  freshToken: FreshToken,
  { upstream, onRefusedKey }: AccessOptions = {},
): UpstreamAccess {
  return (session, onAnswer, limit) => {
    let lastToken: string | undefined
    const tokens: TokenSource = {
      async accessToken({ forceRefresh, signal } = {}) {
        const id = session.id()
        if (id === undefined) return withoutToken(upstream)
        // Nothing refreshes a key.
        if (forceRefresh && onRefusedKey !== undefined) return undefined
        lastToken = await freshToken(id, forceRefresh ? lastToken : undefined, signal)
        if (lastToken !== undefined) return lastToken
        // Ended since the call began: the API must not be asked as nobody in its place.
        if (upstream === undefined && session.state === 'authenticated') throw signInEnded()
        return withoutToken(upstream)
      },
      async refused() {
        const id = session.id()
        if (id !== undefined && lastToken !== undefined) await onRefusedKey?.(id, lastToken)
      },
    }
    return api.forCaller(tokens, { onAnswer, limit })
  }
}

/** An API that knows this server alone: whoever calls, nothing of a person is sent. */
export function createOperatorAccess(api: ApiClient): UpstreamAccess {
  const tokens: TokenSource = { accessToken: async () => undefined }
  return (_session, onAnswer, limit) => api.forCaller(tokens, { onAnswer, limit })
}

/** Tools that have not declared the sign-in come here, and those whose person has signed out. */
function withoutToken(upstream: string | undefined): undefined {
  if (upstream === undefined) return undefined
  throw new AppError('login_required', callLogin(upstream))
}

/** Adds upstreams by their names to what the first gives; each is made when it is asked for. */
export function withNamed(
  first: UpstreamAccess,
  named: ReadonlyMap<string, UpstreamAccess>,
): UpstreamAccess {
  if (named.size === 0) return first
  return (...call) => {
    const made = new Map<string, Upstream>()
    const properties = [...named].map(([name, access]) => {
      const get = () => {
        const upstream = made.get(name) ?? access(...call)
        made.set(name, upstream)
        return upstream
      }
      return [name, { enumerable: true, get }] as const
    })
    return Object.defineProperties(first(...call), Object.fromEntries(properties))
  }
}
