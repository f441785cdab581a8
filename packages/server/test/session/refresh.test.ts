/** Upstream access tokens on one node: when they are refreshed, and failures of the provider. */

import { EventEmitter, once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type Credentials, ProviderError } from '../../src/upstream/identity-provider.ts'
import { createNode, credentialsFor, MINUTE_MS, signedIn } from './parts.ts'

const FRESH = credentialsFor(5 * MINUTE_MS, { accessToken: 'access-2', refreshToken: 'refresh-2' })
const UNAVAILABLE = new ProviderError('provider_unavailable', 'The provider is unavailable.')
const ENDED = new ProviderError('invalid_grant', 'The sign-in has ended.')

/** A session with these credentials, at a provider with this response. */
async function given(credentials: Credentials, answer: () => Promise<Credentials>) {
  const refresh = vi.fn(answer)
  const revoke = vi.fn(async () => undefined)
  const node = createNode(createMemoryStore(), { provider: { refresh, revoke } })
  return { ...node, refresh, revoke, id: await signedIn(node, credentials) }
}

const good = async () => FRESH
const failing = (error: Error) => () => Promise.reject(error)

describe('a token', () => {
  it('that is still valid is returned unchanged', async () => {
    const { freshToken, refresh, id } = await given(credentialsFor(MINUTE_MS), good)
    expect(await freshToken(id)).toBe('access-1')
    expect(refresh).not.toHaveBeenCalled()
  })

  it.each([
    ['expires within half a minute', 20_000],
    ['has expired', -1],
  ])('that %s is refreshed first, and the new one stored', async (_what, ms) => {
    const { freshToken, refresh, id } = await given(credentialsFor(ms), good)
    expect(await freshToken(id)).toBe('access-2')
    expect(await freshToken(id)).toBe('access-2')
    expect(refresh).toHaveBeenCalledOnce()
  })

  it('that the API refused is refreshed, and another one is not', async () => {
    const { freshToken, refresh, id } = await given(credentialsFor(MINUTE_MS), good)
    expect(await freshToken(id, 'access-0')).toBe('access-1')
    expect(await freshToken(id, 'access-1')).toBe('access-2')
    expect(await freshToken(id, 'access-1')).toBe('access-2')
    expect(refresh).toHaveBeenCalledOnce()
  })

  it('without a lifetime counts as valid', async () => {
    const { expiresAt: _, ...endless } = credentialsFor(0)
    const { freshToken, id } = await given(endless, good)
    expect(await freshToken(id)).toBe('access-1')
  })

  it('without a refresh token is used until its expiry, and then the sign-in has ended', async () => {
    const { refreshToken: _, ...once } = credentialsFor(-1)
    const { freshToken, id } = await given(once, good)
    expect(await freshToken(id)).toBe('access-1')
    await expect(freshToken(id, 'access-1')).rejects.toMatchObject({ code: 'login_required' })
  })

  it('of an anonymous session is undefined', async () => {
    const node = createNode(createMemoryStore())
    const { id } = await node.sessions.create('handle')
    expect(await node.freshToken(id)).toBeUndefined()
    expect(await node.freshToken('ses_unknown')).toBeUndefined()
  })
})

describe('an unavailable provider', () => {
  it('has no effect while the token is valid', async () => {
    const { freshToken, id } = await given(credentialsFor(20_000), failing(UNAVAILABLE))
    expect(await freshToken(id)).toBe('access-1')
  })

  it('is an upstream error once the token has expired, and the credentials are kept', async () => {
    const { freshToken, sessions, refresh, id } = await given(
      credentialsFor(-1),
      failing(UNAVAILABLE),
    )
    await expect(freshToken(id)).rejects.toMatchObject({ code: 'upstream_error' })
    expect(await sessions.peek(id)).toMatchObject({ state: 'authenticated' })
    refresh.mockImplementation(good)
    expect(await freshToken(id)).toBe('access-2')
  })

  it('does not restore a token that the API refused', async () => {
    const { freshToken, id } = await given(credentialsFor(20_000), failing(UNAVAILABLE))
    await expect(freshToken(id, 'access-1')).rejects.toMatchObject({ code: 'upstream_error' })
  })
})

describe('a provider that refuses', () => {
  it('ends the sign-in: the session is anonymous', async () => {
    const { freshToken, sessions, id } = await given(credentialsFor(20_000), failing(ENDED))
    await expect(freshToken(id)).rejects.toMatchObject({ code: 'login_required' })
    expect(await sessions.peek(id)).toMatchObject({ state: 'anonymous', credentials: {} })
    expect(await freshToken(id)).toBeUndefined()
  })

  it('rejects every waiting call', async () => {
    const { freshToken, refresh, id } = await given(credentialsFor(20_000), failing(ENDED))
    const calls = await Promise.allSettled([1, 2, 3].map(() => freshToken(id)))
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(refresh).toHaveBeenCalledOnce()
  })
})

describe('while the provider answers', () => {
  /** A refresh that waits until the test ends it. */
  function slow() {
    const emitter = new EventEmitter()
    const ended = once(emitter, 'end')
    return { answer: () => ended.then(good), finish: () => emitter.emit('end') }
  }

  it('after a logout: the new token is revoked and not used', async () => {
    const { answer, finish } = slow()
    const { freshToken, sessions, refresh, revoke, id } = await given(credentialsFor(-1), answer)
    const call = freshToken(id)
    await vi.waitFor(() => expect(refresh).toHaveBeenCalled(), 30_000)
    await sessions.end(id)
    finish()
    await expect(call).rejects.toMatchObject({ code: 'login_required' })
    expect(revoke).toHaveBeenCalledWith(FRESH)
  })

  it('after a new sign-in: the new sign-in stays', async () => {
    const { answer, finish } = slow()
    const { freshToken, sessions, credentials, refresh, revoke, store, id } = await given(
      credentialsFor(-1),
      answer,
    )
    const call = freshToken(id).catch((error: unknown) => error)
    await vi.waitFor(() => expect(refresh).toHaveBeenCalled(), 30_000)
    const lock = await store.lock('any', 1)
    const anew = credentialsFor(MINUTE_MS, { accessToken: 'access-3' })
    await credentials.write(id, anew, lock?.token ?? 0)
    finish()
    await call
    const session = await sessions.peek(id)
    expect(session && credentials.read(session)).toEqual(anew)
    expect(revoke).toHaveBeenCalledWith(FRESH)
  })

  it('a call is cancelled: it ends at once, and the others get the token', async () => {
    const { answer, finish } = slow()
    const { freshToken, refresh, id } = await given(credentialsFor(-1), answer)
    const controller = new AbortController()
    const cancelled = freshToken(id, undefined, controller.signal)
    const other = freshToken(id)
    await vi.waitFor(() => expect(refresh).toHaveBeenCalled(), 30_000)
    controller.abort(new Error('cancelled'))
    await expect(cancelled).rejects.toThrow('cancelled')
    finish()
    expect(await other).toBe('access-2')
    expect(refresh).toHaveBeenCalledOnce()
  })
})
