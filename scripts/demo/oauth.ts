/** Authorizes a client: the SDK's OAuth client, and the browser of the user who grants consent. */

import { auth } from '@modelcontextprotocol/client'
import {
  createOneRunClient,
  type OneRunClient,
} from '../../packages/doctor/src/token/oauth-client.ts'
import { createBrowser, headingOf } from '../../packages/server/src/testing/form-browser.ts'
import { check, type Report } from './report.ts'

/** Nothing listens there: the browser stops before it requests it. */
const REDIRECT_URI = 'http://127.0.0.1:33418/callback'

const CLIENT_NAME = 'The demo'

/** A client that the user has authorized. */
export interface AuthorizedClient {
  /** The OAuth provider for the transport, which sends its token. */
  readonly provider: OneRunClient
  refreshes(): Promise<void>
  /** Revokes the refresh token, and with it the whole grant (RFC 7009). */
  revokes(): Promise<void>
}

/** All steps from the 401 to the token, each shown. `url` is the endpoint for the client. */
export async function authorizeClient(url: URL, report: Report): Promise<AuthorizedClient> {
  await isRefused(url, report)

  report.step('The client discovers the authorization server, and registers')
  const provider = createOneRunClient(CLIENT_NAME, REDIRECT_URI)
  report.asked('/.well-known/oauth-protected-resource, then /register')
  check((await auth(provider, { serverUrl: url })) === 'REDIRECT', 'the client asked for nothing')
  const { client_id: clientId } = provider.clientInformation() ?? {}
  report.answered(`client ${clientId?.replace(/(_.{6}).*/, '$1…')}, authorized at /authorize`)

  report.step('A person authorizes it, and it exchanges the code for tokens')
  const answer = await consent(provider, report)
  const authorizationCode = answer.get('code') ?? ''
  const iss = answer.get('iss') ?? ''
  check(
    (await auth(provider, { serverUrl: url, authorizationCode, iss })) === 'AUTHORIZED',
    'the code was refused',
  )
  showTokens(provider, report)
  return {
    provider,
    async refreshes() {
      const before = provider.tokens()
      report.asked('/token with the refresh token')
      await auth(provider, { serverUrl: url })
      showTokens(provider, report)
      const after = provider.tokens()
      check(after?.access_token !== before?.access_token, 'the access token is the old one')
      check(after?.refresh_token !== before?.refresh_token, 'the refresh token is the old one')
    },
    async revokes() {
      report.asked('/revoke')
      const token = provider.tokens()?.refresh_token ?? ''
      const body = new URLSearchParams({ token, client_id: clientId ?? '' })
      const { status } = await fetch(new URL('/revoke', url), { method: 'POST', body })
      report.answered(`${status}`)
      check(status === 200, 'the token was not revoked')
      await isRefused(url, report, provider.tokens()?.access_token)
    },
  }
}

/** A call without a valid token gets 401 with a challenge. */
async function isRefused(url: URL, report: Report, token?: string): Promise<void> {
  report.asked(token === undefined ? `${url}, without a token` : `${url}, with the token`)
  const { status, headers } = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  })
  const challenge = headers.get('www-authenticate') ?? ''
  const [error = 'Bearer'] = /error="\w+"/.exec(challenge) ?? []
  report.answered(`refused: ${status}, WWW-Authenticate: ${error} …`)
  check(status === 401 && challenge.includes('resource_metadata='), 'it was not refused')
}

/**
 * The consent page shows the client and its scopes; the browser returns to the client with the
 * code.
 */
async function consent(provider: OneRunClient, report: Report): Promise<URLSearchParams> {
  const browser = createBrowser(REDIRECT_URI)
  const page = await browser.open(provider.authorizeUrl())
  report.asked(`browser: “${headingOf(page)}” ${CLIENT_NAME}. Allow`)
  check(page.text.includes(CLIENT_NAME), 'the page does not say who asks')
  const { url } = await browser.open(page.url, { decision: 'allow' })
  check(url.searchParams.get('state') === provider.expectedState, 'this is no answer to us')
  check(url.searchParams.has('code'), 'the client got no code')
  return url.searchParams
}

function showTokens(provider: OneRunClient, report: Report): void {
  const tokens = provider.tokens()
  check(tokens !== undefined, 'the client got no token')
  const minutes = Math.round((tokens.expires_in ?? 0) / 60)
  report.answered(`an access token for ${minutes} minutes, scopes ${tokens.scope}`)
}
