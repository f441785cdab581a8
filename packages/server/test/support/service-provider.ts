/** A plain OAuth 2.0 provider and its API, for service accounts: counts the tokens it issues. */

import { onTestFinished } from 'vitest'
import { type Answer, json, startServer } from '../upstream/misbehaving-server.ts'

const ACCOUNT = {
  ...{
    id: 'me',
    owner: 'The Service',
    accountNumber: '1234567890',
    iban: 'DE02120300000000202051',
  },
  ...{ email: 'service@example.com', balance: 1, currency: 'EUR' },
}

export interface ServiceProvider {
  readonly env: Readonly<Record<string, string>>
  /** The token requests of service accounts. */
  readonly requests: readonly { readonly body: URLSearchParams; readonly authorization: string }[]
  /** The `Authorization` and `x-api-key` of calls to the API. */
  readonly calls: readonly (readonly [authorization: string, key: string])[]
  /** The credentials that the API accepts; by default tokens `service-1`, `service-2` and so on. */
  accepts(isGood: (authorization: string) => boolean): void
  /** Sets the response to token requests; undefined issues a new token. */
  answerWith(answer: Answer | undefined): void
  /** In seconds; undefined for none. */
  lifetimeIs(seconds: number | undefined): void
}

/** Starts it; stopped after the test. */
export async function startServiceProvider(): Promise<ServiceProvider> {
  const requests: { body: URLSearchParams; authorization: string }[] = []
  const calls: [string, string][] = []
  let answer: Answer | undefined
  let expires_in: number | undefined = 3600
  let isGood = (authorization: string) => /^Bearer service-\d+$/.test(authorization)
  const server = await startServer((res, req, index) => {
    const { pathname } = new URL(req.url, 'http://localhost')
    const authorization = String(req.headers.authorization ?? '')
    if (pathname === '/token') {
      requests.push({ body: new URLSearchParams(req.body), authorization })
      const access_token = `service-${requests.length}`
      const usual = json({ access_token, token_type: 'bearer', expires_in })
      return (answer ?? usual)(res, req, index)
    }
    calls.push([authorization, String(req.headers['x-api-key'] ?? '')])
    return isGood(authorization) ? json(ACCOUNT)(res, req, index) : res.writeHead(401).end()
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
    requests,
    calls,
    accepts(good) {
      isGood = good
    },
    answerWith(given) {
      answer = given
    },
    lifetimeIs(seconds) {
      expires_in = seconds
    },
  }
}
