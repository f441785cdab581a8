/** A plain OAuth 2.0 provider and its API: accepts every sign-in; the test controls refreshes. */

import { onTestFinished } from 'vitest'
import { type Answer, json, startServer } from '../upstream/misbehaving-server.ts'

/** The API's response for everybody. */
const ACCOUNT = {
  id: 'me',
  owner: 'Ada Lovelace',
  accountNumber: '1234567890',
  iban: 'DE02120300000000202051',
  email: 'ada@example.com',
  balance: 1,
  currency: 'EUR',
}

export interface PlainProvider {
  /** The variables for the server. */
  readonly env: Readonly<Record<string, string>>
  /** The number of refresh requests. */
  refreshes(): number
  /** Sets the response to refreshes. */
  refreshWith(answer: Answer): void
}

/** Starts it; stopped after the test. The first access token of a user is already expired. */
export async function startPlainProvider(): Promise<PlainProvider> {
  let refresh: Answer = json({ access_token: 'fresh', token_type: 'bearer' })
  let refreshes = 0
  const server = await startServer((res, req, index) => {
    const url = new URL(req.url, 'http://localhost')
    switch (url.pathname) {
      case '/authorize': {
        const back = new URL(url.searchParams.get('redirect_uri') ?? '')
        back.search = String(
          new URLSearchParams({ code: 'c', state: url.searchParams.get('state') ?? '' }),
        )
        return res.writeHead(303, { location: back.href }).end()
      }
      case '/token': {
        const isRefresh = new URLSearchParams(req.body).get('grant_type') === 'refresh_token'
        if (isRefresh) refreshes += 1
        const first = { access_token: 'first', refresh_token: 'r', expires_in: 0.001 }
        return isRefresh
          ? refresh(res, req, index)
          : json({ ...first, token_type: 'bearer' })(res, req, index)
      }
      case '/accounts/me': {
        const isFresh = req.headers.authorization === 'Bearer fresh'
        return isFresh ? json(ACCOUNT)(res, req, index) : res.writeHead(401).end()
      }
      default:
        return res.writeHead(404).end()
    }
  })
  onTestFinished(() => server.close())
  return {
    env: {
      UPSTREAM_AUTHORIZATION_ENDPOINT: `${server.origin}/authorize`,
      UPSTREAM_TOKEN_ENDPOINT: `${server.origin}/token`,
      UPSTREAM_CLIENT_ID: 'client-1',
      UPSTREAM_CLIENT_SECRET: 'secret-of-the-client',
      UPSTREAM_API_URL: server.origin,
    },
    refreshes: () => refreshes,
    refreshWith(answer) {
      refresh = answer
    },
  }
}
