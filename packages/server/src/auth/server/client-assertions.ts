/** Client assertions (RFC 7523, section 2.2), which this server neither advertises nor verifies. */

import type Provider from 'oidc-provider'
import type { OIDCContext } from 'oidc-provider'

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ENDPOINTS = ['token', 'revocation', 'introspection']

type Body = Readonly<Record<string, unknown>>

/**
 * Lets a request leave `client_id` out where its assertion names the client (RFC 7521, 4.2), as
 * clients that sign assertions do. The name proves as little as `client_id` does: the library
 * ignores the assertion (RFC 6749, 3.2), so public clients are bound by PKCE and their tokens, and
 * a client with a secret still has to show it. Replaces the setter, since the library reads body and
 * client in one go.
 */
export function identifyByAssertion(provider: Provider): void {
  const bodies = new WeakMap<OIDCContext, Body | undefined>()
  Object.defineProperty(provider.OIDCContext.prototype, 'body', {
    configurable: true,
    get(this: OIDCContext) {
      return bodies.get(this)
    },
    set(this: OIDCContext, body: Body | undefined) {
      bodies.set(this, ENDPOINTS.includes(this.route) ? withClientId(body) : body)
    },
  })
}

function withClientId(body: Body | undefined): Body | undefined {
  if (body === undefined || body.client_id || body.client_assertion_type !== JWT_BEARER) return body
  const client_id = subjectOf(body.client_assertion)
  return client_id === undefined ? body : { ...body, client_id }
}

/** The subject of a JWT, unverified. */
function subjectOf(jwt: unknown): string | undefined {
  if (typeof jwt !== 'string') return undefined
  try {
    const payload = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    return typeof payload?.sub === 'string' ? payload.sub : undefined
  } catch {
    return undefined
  }
}
