/** Signing in without a code: in the browser that authorized the client, and during consent. */

import { describe, expect, it } from 'vitest'
import { shortHash } from '../../src/crypto/hash.ts'
import { ProviderError } from '../../src/upstream/identity-provider.ts'
import { returning, started, UNAVAILABLE } from './sign-in-parts.ts'

const BROWSER = 'A'.repeat(43)
const OTHER = 'B'.repeat(43)

/** The same with a session of a client that `BROWSER` authorized. */
async function bound() {
  const parts = await started()
  await parts.sessions.update(parts.id, 'browser', BROWSER)
  return parts
}

describe('the browser that authorized the client', () => {
  it('needs no code', async () => {
    const { signIn, handle } = await bound()
    expect(await signIn.describe(handle, BROWSER)).toMatchObject({ needsCode: false })
    expect(await signIn.confirm(handle, { browser: BROWSER })).toMatchObject({
      outcome: 'redirect',
      url: expect.objectContaining({ host: 'idp.example' }),
    })
  })

  it('consumes the link, even with 20 concurrent uses', async () => {
    const { signIn, handle } = await bound()
    const all = Array.from({ length: 20 }, () => signIn.confirm(handle, { browser: BROWSER }))
    const outcomes = (await Promise.all(all)).map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'redirect')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'void')).toHaveLength(19)
  })

  it('may enter the code, too', async () => {
    const { signIn, handle, code } = await bound()
    expect(await signIn.confirm(handle, { code })).toMatchObject({ outcome: 'redirect' })
  })

  it('the link stays valid while the provider is unavailable', async () => {
    const { signIn, handle, authorizationUrl } = await bound()
    authorizationUrl.mockRejectedValueOnce(UNAVAILABLE)
    await expect(signIn.confirm(handle, { browser: BROWSER })).rejects.toThrow('unavailable')
    expect(await signIn.confirm(handle, { browser: BROWSER })).toMatchObject({
      outcome: 'redirect',
    })
  })

  it('is refused after too many wrong codes', async () => {
    const { signIn, handle } = await bound()
    for (let count = 0; count < 5; count += 1) await signIn.confirm(handle, { code: 'ZZZZ-ZZZZ' })
    expect(await signIn.describe(handle, BROWSER)).toBeUndefined()
    expect(await signIn.confirm(handle, { browser: BROWSER })).toEqual({ outcome: 'void' })
  })
})

describe('any other browser', () => {
  it.each([
    ['with a value of its own', OTHER],
    ['with none', undefined],
    ['with an empty one', ''],
  ])('%s needs the code, and opening the page uses up no attempt', async (_what, browser) => {
    const { signIn, handle, code, authorizationUrl } = await bound()
    expect(await signIn.describe(handle, browser)).toMatchObject({ needsCode: true })
    for (let count = 0; count < 6; count += 1) {
      expect(await signIn.confirm(handle, { browser })).toEqual({ outcome: 'code_needed' })
    }
    expect(authorizationUrl).not.toHaveBeenCalled()
    expect(await signIn.confirm(handle, { code })).toMatchObject({ outcome: 'redirect' })
  })

  it('needs the code if no browser authorized the client; nothing works once the session has ended', async () => {
    const { signIn, sessions, id, handle } = await started()
    expect(await signIn.confirm(handle, { browser: BROWSER })).toEqual({ outcome: 'code_needed' })
    await sessions.end(id)
    expect(await signIn.describe(handle, BROWSER)).toBeUndefined()
    expect(await signIn.confirm(handle, { browser: BROWSER })).toEqual({ outcome: 'void' })
  })
})

describe('a sign-in during consent', () => {
  const RETURN_TO = '/consent/abc'

  async function begun() {
    const parts = await started()
    const purpose = { sessionId: parts.id, clientName: 'a client', returnTo: RETURN_TO }
    return { ...parts, ...returning(await parts.signIn.begin(purpose)) }
  }

  it('makes the session authenticated, and redirects back', async () => {
    const { signIn, callback, browser, sessions, id } = await begun()
    expect(await signIn.finish(callback, browser)).toMatchObject({
      outcome: 'signed_in',
      returnTo: RETURN_TO,
    })
    expect(await sessions.peek(id)).toMatchObject({ state: 'authenticated' })
  })

  it('redirects back when the user declined', async () => {
    const { signIn, callback, browser, exchange } = await begun()
    exchange.mockRejectedValueOnce(new ProviderError('access_denied', 'You said no.'))
    expect(await signIn.finish(callback, browser)).toMatchObject({
      outcome: 'provider_error',
      returnTo: RETURN_TO,
    })
  })

  it('redirects back if the session has ended', async () => {
    const { signIn, callback, browser, sessions, id } = await begun()
    await sessions.end(id)
    expect(await signIn.finish(callback, browser)).toEqual({
      outcome: 'session_ended',
      returnTo: RETURN_TO,
      session: shortHash(id),
    })
  })

  it('refuses another browser, and consumes the state', async () => {
    const { signIn, callback, browser, exchange } = await begun()
    expect(await signIn.finish(callback, () => undefined)).toEqual({ outcome: 'other_browser' })
    expect(await signIn.finish(callback, browser)).toEqual({ outcome: 'unknown_state' })
    expect(exchange).not.toHaveBeenCalled()
  })

  it('reports an unavailable provider', async () => {
    const { signIn, id, authorizationUrl } = await started()
    authorizationUrl.mockRejectedValueOnce(UNAVAILABLE)
    const purpose = { sessionId: id, clientName: 'a client', returnTo: RETURN_TO }
    await expect(signIn.begin(purpose)).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  it.each(['https://evil.com/', '//evil.com', '/\\evil.com', '/\t/evil.com', 'consent', ''])(
    'never redirects to %j',
    async (returnTo) => {
      const { signIn, id } = await started()
      const purpose = { sessionId: id, clientName: 'a client', returnTo }
      await expect(signIn.begin(purpose)).rejects.toThrow(TypeError)
    },
  )
})
