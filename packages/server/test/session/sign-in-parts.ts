/** Signing in on one node, with everything that a test changes or inspects. */

import { vi } from 'vitest'
import { createSignIn, type SignInRedirect } from '../../src/session/sign-in.ts'
import { createSignInLinks } from '../../src/session/sign-in-link.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Credentials, SignInCheck } from '../../src/upstream/identity-provider.ts'
import { ProviderError } from '../../src/upstream/identity-provider.ts'
import { createNode, credentialsFor, MINUTE_MS } from './parts.ts'

export const REDIRECT_URI = 'https://mcp.example/callback'
export const GRANTED = credentialsFor(MINUTE_MS, { account: { sub: 'ada', name: 'Ada' } })
export const UNAVAILABLE = new ProviderError('provider_unavailable', 'The provider is unavailable.')

/** One node that signs in at a scripted provider, with an issued link. */
export async function started() {
  const exchange = vi.fn(
    async (_callback: URL, _redirectUri: string, _check: SignInCheck): Promise<Credentials> =>
      GRANTED,
  )
  const revoke = vi.fn(async () => undefined)
  const authorizationUrl = vi.fn(async (redirectUri: string, { state }: SignInCheck) => {
    const query = new URLSearchParams({ state, redirect_uri: redirectUri })
    return new URL(`https://idp.example/authorize?${query}`)
  })
  let time = Date.now()
  const now = () => time
  const provider = { authorizationUrl, exchange, revoke, refresh: exchange as never }
  const node = createNode(createMemoryStore({ now }), { provider, now })
  const { store, keyRing, credentials, log, sessions } = node
  const links = createSignInLinks({ store, now }, { ttlSeconds: 600 })
  const signIn = createSignIn(
    { store, keyRing, sessions, links, provider, credentials, log },
    { redirectUri: REDIRECT_URI, ttlSeconds: 600 },
  )
  const { id } = await sessions.create('handle')
  const { handle, code } = await links.issue(id, 'a client')

  async function confirmed() {
    const result = await signIn.confirm(handle, { code })
    if (result.outcome !== 'redirect') throw new Error(result.outcome)
    return returning(result)
  }
  function pass(seconds: number): void {
    time += seconds * 1000
  }
  const mocks = { exchange, revoke, authorizationUrl }
  return { ...node, ...mocks, signIn, id, handle, code, confirmed, pass }
}

/** The callback URL from the provider, and the browser's cookies. */
export function returning({ url, cookie }: SignInRedirect) {
  const state = url.searchParams.get('state') ?? ''
  const callback = new URL(`${REDIRECT_URI}?code=abc&state=${state}`)
  const browser = (name: string) => (name === cookie.name ? cookie.value : undefined)
  return { callback, browser, cookie }
}
