/** The upstream API as the person of one session, with every answer shown to the caller first. */

import { randomValue } from '../crypto/random-id.ts'
import type { CallSession } from '../engine/call.ts'
import { callLogin } from '../engine/sign-in-ladder.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/port.ts'
import type { ApiClient } from '../upstream/api-client.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import type { CheckKey } from './key-entry.ts'
import type { SessionManager } from './manager.ts'
import { type FreshToken, signInEnded } from './refresh.ts'

type CallerSession = Pick<CallSession, 'id' | 'state'>

/** `session` is asked at each request, since a tool may open its session on the way. */
export type UpstreamAccess<Given = Upstream> = (
  session: CallerSession,
  onAnswer: (answer: unknown) => void,
) => Given

export interface AccessOptions {
  /** The name of the upstream, unless it is the first: calls without a sign-in there are refused. */
  readonly upstream?: string | undefined
  /** False for an API that knows this server alone. */
  readonly isForPeople?: boolean
  /** Called with a token that the API refused; throws where the person has to bring another. */
  readonly onRefused?: (sessionId: string, token: string) => Promise<void>
}

export function createUpstreamAccess(
  api: ApiClient,
  freshToken: FreshToken,
  { upstream: name, isForPeople = true, onRefused }: AccessOptions = {},
): UpstreamAccess {
  return (session, onAnswer) => {
    let lastToken: string | undefined
    const upstream = api.forCaller({
      async accessToken({ forceRefresh, signal } = {}) {
        const id = session.id()
        if (!isForPeople) return undefined
        if (id === undefined) return missing(name)
        const rejected = forceRefresh ? lastToken : undefined
        if (rejected !== undefined && onRefused !== undefined) return undefined
        lastToken = await freshToken(id, rejected, signal)
        if (lastToken !== undefined) return lastToken
        // Ended since the call began: the API must not be asked as nobody in its place.
        if (name === undefined && session.state === 'authenticated') throw signInEnded()
        return missing(name)
      },
    })
    async function shown<T>(answer: Promise<T>): Promise<T> {
      try {
        const value = await answer
        onAnswer(value)
        return value
      } catch (error) {
        const id = session.id()
        const isRefused = error instanceof UpstreamError && [401, 403].includes(error.status ?? 0)
        if (isRefused && id !== undefined && lastToken !== undefined) {
          await onRefused?.(id, lastToken)
        }
        throw error
      }
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

/** A tool that has not declared the sign-in comes here, and so does one whose person signed out. */
function missing(upstream: string | undefined): undefined {
  if (upstream === undefined) return undefined
  throw new AppError('login_required', callLogin(upstream))
}

/** Upstreams by name, besides the methods of the first. */
export type NamedUpstreams = Upstream & { readonly [name: string]: Upstream }

/** Adds upstreams by their names to what the first gives; each is made when it is asked for. */
export function withNamed(
  first: UpstreamAccess,
  named: ReadonlyMap<string, UpstreamAccess>,
): UpstreamAccess<NamedUpstreams> {
  return (session, onAnswer) => {
    const upstream = first(session, onAnswer)
    const made = new Map<string, Upstream>()
    for (const [name, access] of named) {
      Object.defineProperty(upstream, name, {
        enumerable: true,
        get() {
          const known = made.get(name) ?? access(session, onAnswer)
          made.set(name, known)
          return known
        },
      })
    }
    return upstream as NamedUpstreams
  }
}

/** A person's key as it is in the session: nothing refreshes it. */
export function createKeyToken(
  sessions: Pick<SessionManager, 'peek'>,
  credentials: Pick<CredentialStore, 'read'>,
): FreshToken {
  return async (sessionId) => {
    const session = await sessions.peek(sessionId)
    return session && credentials.read(session)?.accessToken
  }
}

export interface RefusedKeyDeps {
  readonly store: Store
  readonly credentials: Pick<CredentialStore, 'forget'>
  readonly checkKey: CheckKey
}

/**
 * An API that refuses one request need not refuse the key: it is asked once more whether the key is
 * good, and a key that is not is forgotten.
 * @throws AppError `login_required` for a key that is no longer good
 */
export function createOnRefusedKey(
  { store, credentials, checkKey }: RefusedKeyDeps,
  upstream: string | undefined,
): NonNullable<AccessOptions['onRefused']> {
  return async (sessionId, key) => {
    // Taken first: a key that is pasted meanwhile stays.
    const fence = await newestFence(store, sessionId, randomValue())
    if ((await checkKey(key)) !== 'refused') return
    await credentials.forget(sessionId, fence)
    const message = 'Your key is no longer accepted, and was removed.'
    throw new AppError('login_required', `${message} ${callLogin(upstream)}`)
  }
}
