/** Signing in, from the code to the credentials in the session. */

import { describe, expect, it, vi } from 'vitest'
import { shortHash } from '../../src/crypto/hash.ts'
import { storeUnavailable } from '../../src/errors.ts'
import { ProviderError } from '../../src/upstream/identity-provider.ts'
import { GRANTED, REDIRECT_URI, started, UNAVAILABLE } from './sign-in-parts.ts'

describe('the right code', () => {
  it('redirects the browser to the provider, bound to it by a cookie', async () => {
    const { signIn, handle, code, authorizationUrl } = await started()
    expect(await signIn.confirm(handle, { code })).toMatchObject({
      outcome: 'redirect',
      url: expect.objectContaining({ host: 'idp.example' }),
      cookie: { value: expect.stringMatching(/^[\w-]{43}$/), maxAgeSeconds: 600, secure: true },
    })
    expect(authorizationUrl.mock.calls[0]?.[0]).toBe(REDIRECT_URI)
  })

  it('consumes the link', async () => {
    const { signIn, handle, code } = await started()
    await signIn.confirm(handle, { code })
    expect(await signIn.confirm(handle, { code })).toEqual({ outcome: 'void' })
  })

  it('20 times concurrently is one redirect', async () => {
    const { signIn, handle, code } = await started()
    const all = Array.from({ length: 20 }, () => signIn.confirm(handle, { code }))
    const outcomes = (await Promise.all(all)).map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'redirect')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'void')).toHaveLength(19)
  })

  it('stays valid while the provider is unreachable', async () => {
    const { signIn, handle, code, authorizationUrl } = await started()
    authorizationUrl.mockRejectedValueOnce(UNAVAILABLE)
    await expect(signIn.confirm(handle, { code })).rejects.toMatchObject({
      code: 'provider_unavailable',
    })
    expect(await signIn.confirm(handle, { code })).toMatchObject({ outcome: 'redirect' })
  })
})

describe('a wrong code', () => {
  it('does not contact the provider, and invalidates the link the fifth time', async () => {
    const { signIn, handle, code, authorizationUrl } = await started()
    for (const triesLeft of [4, 3, 2, 1]) {
      const outcome = await signIn.confirm(handle, { code: 'ZZZZ-ZZZZ' })
      expect(outcome).toEqual({ outcome: 'wrong_code', triesLeft })
    }
    expect(await signIn.confirm(handle, { code: 'ZZZZ-ZZZZ' })).toEqual({ outcome: 'void' })
    expect(await signIn.confirm(handle, { code })).toEqual({ outcome: 'void' })
    expect(authorizationUrl).not.toHaveBeenCalled()
  })
})

describe('the callback from the provider', () => {
  it('makes the session authenticated', async () => {
    const { signIn, confirmed, sessions, freshToken, id } = await started()
    const { callback, browser } = await confirmed()
    expect(await signIn.finish(callback, browser)).toEqual({
      outcome: 'signed_in',
      clientName: 'a client',
      name: 'Ada',
      session: shortHash(id),
      subject: 'ada',
    })
    expect(await sessions.peek(id)).toMatchObject({ state: 'authenticated' })
    expect(await freshToken(id)).toBe('access-1')
  })

  it('passes the stored state, nonce and verifier to the provider', async () => {
    const { signIn, confirmed, exchange, authorizationUrl } = await started()
    const { callback, browser } = await confirmed()
    await signIn.finish(callback, browser)
    expect(exchange).toHaveBeenCalledWith(
      callback,
      REDIRECT_URI,
      authorizationUrl.mock.calls[0]?.[1],
    )
  })

  it('works once, even with 20 concurrent requests', async () => {
    const { signIn, confirmed, exchange } = await started()
    const { callback, browser } = await confirmed()
    const all = Array.from({ length: 20 }, () => signIn.finish(callback, browser))
    const outcomes = (await Promise.all(all)).map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'signed_in')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'unknown_state')).toHaveLength(19)
    expect(exchange).toHaveBeenCalledOnce()
  })

  it.each([
    ['without the cookie', () => undefined],
    ['with another cookie', () => 'x'.repeat(43)],
  ])('in a browser %s consumes the state', async (_what, other) => {
    const { signIn, confirmed, exchange, sessions, id } = await started()
    const { callback, browser } = await confirmed()
    expect(await signIn.finish(callback, other)).toEqual({ outcome: 'other_browser' })
    expect(await signIn.finish(callback, browser)).toEqual({ outcome: 'unknown_state' })
    expect(exchange).not.toHaveBeenCalled()
    expect(await sessions.peek(id)).toMatchObject({ state: 'anonymous' })
  })

  it('without a state, or with an unknown one, is refused', async () => {
    const { signIn, confirmed } = await started()
    const { browser } = await confirmed()
    for (const query of ['', '?state=', '?state=x', `?code=a&state=${'A'.repeat(43)}`]) {
      const outcome = await signIn.finish(new URL(REDIRECT_URI + query), browser)
      expect(outcome).toEqual({ outcome: 'unknown_state' })
    }
  })

  it('too late is refused', async () => {
    const { signIn, confirmed, pass } = await started()
    const { callback, browser } = await confirmed()
    pass(600)
    expect(await signIn.finish(callback, browser)).toEqual({ outcome: 'unknown_state' })
  })

  it('to a session that has ended revokes what was granted', async () => {
    const { signIn, confirmed, sessions, revoke, id } = await started()
    const { callback, browser } = await confirmed()
    await sessions.end(id)
    const session = shortHash(id)
    expect(await signIn.finish(callback, browser)).toEqual({ outcome: 'session_ended', session })
    expect(revoke).toHaveBeenCalledWith(GRANTED)
  })

  it.each(['lock', 'patch'] as const)(
    'revokes tokens that cannot be stored (%s)',
    async (operation) => {
      const { signIn, confirmed, store, revoke } = await started()
      const { callback, browser } = await confirmed()
      // A full Redis can still consume the state, but then refuses writes.
      vi.spyOn(store, operation).mockRejectedValueOnce(storeUnavailable())
      const finishing = signIn.finish(callback, browser)
      await expect(finishing).rejects.toMatchObject({ code: 'unavailable' })
      expect(revoke).toHaveBeenCalledWith(GRANTED)
    },
  )

  it('with an error reports it, and consumes the state', async () => {
    const { signIn, confirmed, exchange } = await started()
    const { callback, browser } = await confirmed()
    exchange.mockRejectedValueOnce(new ProviderError('access_denied', 'You said no.'))
    expect(await signIn.finish(callback, browser)).toMatchObject({
      outcome: 'provider_error',
      error: { code: 'access_denied' },
    })
    expect(await signIn.finish(callback, browser)).toEqual({ outcome: 'unknown_state' })
  })

  it('replaces an earlier sign-in of the same session', async () => {
    const { signIn, confirmed, credentials, freshToken, id } = await started()
    const { callback, browser } = await confirmed()
    await credentials.write(id, { accessToken: 'earlier' }, 0)
    await signIn.finish(callback, browser)
    expect(await freshToken(id)).toBe('access-1')
  })
})
