/** The upstream API on behalf of one session's user; passes every response to the caller first. */

import type { CallSession } from '../engine/call.ts'
import { callLogin } from '../engine/require-sign-in.ts'
import { AppError } from '../errors.ts'
import type { CallScope } from '../upstream/api-attempt.ts'
import type { ApiClient } from '../upstream/api-client.ts'
import type { TokenSource, Upstream } from '../upstream/upstream.ts'
import type { FreshToken } from './refresh.ts'
import { signInEnded } from './refresh-failure.ts'

/** Reads `session` at each request, since a tool may open its session during the call. */
export type UpstreamAccess = (
  session: Pick<CallSession, 'id' | 'state' | 'tokenOnBehalf'>,
  onAnswer: (answer: unknown) => void,
  limit?: CallScope['limit'],
) => Upstream

export interface AccessOptions {
  /** Name of an additional upstream, which requires a sign-in for calls; absent for the first. */
  readonly upstream?: string | undefined
  /** Called with a key that the API rejected; throws if the user must paste another. */
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
        // API keys cannot be refreshed.
        if (forceRefresh && onRefusedKey !== undefined) return undefined
        const rejected = forceRefresh ? lastToken : undefined
        const exchanged = await session.tokenOnBehalf(upstream, rejected)
        lastToken = exchanged ?? (await freshToken(id, rejected, signal))
        if (lastToken !== undefined) return lastToken
        // The sign-in ended during the call: must not fall back to an unauthenticated request.
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

/** An API accessed with this server's own credentials: never sends a user's token. */
export function createOperatorAccess(api: ApiClient): UpstreamAccess {
  const tokens: TokenSource = { accessToken: async () => undefined }
  return (_session, onAnswer, limit) => api.forCaller(tokens, { onAnswer, limit })
}

/** Reached by tools that do not declare the sign-in, and after the user has signed out. */
function withoutToken(upstream: string | undefined): undefined {
  if (upstream === undefined) return undefined
  throw new AppError('login_required', callLogin(upstream))
}

/** Adds the named upstreams as properties of the first; each is created on first access. */
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
