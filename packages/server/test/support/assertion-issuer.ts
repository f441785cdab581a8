/** An enterprise identity provider: exchanges ID tokens for identity assertions (ID-JAG). */

import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { JWTPayload } from 'jose'
import { type ExternalIssuer, seconds, startExternalIssuer } from './external-issuer.ts'

export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

type Claims = Readonly<Record<string, unknown>>

export interface AssertionIssuer extends ExternalIssuer {
  /** A valid assertion; `claims` and `header` add or override members. */
  assertion(audience: string, client: string, claims?: Claims, header?: Claims): Promise<string>
  /** The parameters of all token exchange requests. */
  readonly exchanges: readonly URLSearchParams[]
}

/** Its `/token` accepts a user's name as the ID token, and any client id. */
export async function startAssertionIssuer(): Promise<AssertionIssuer> {
  const issuer = await startExternalIssuer()
  const exchanges: URLSearchParams[] = []
  const assertion: AssertionIssuer['assertion'] = (audience, client, claims = {}, header = {}) => {
    const usual = {
      ...{ iss: issuer.url, sub: 'ada', aud: audience, client_id: client },
      ...{ jti: randomUUID(), iat: seconds(), exp: seconds() + 300 },
    }
    return issuer.sign({ ...usual, ...claims } as JWTPayload, {
      typ: 'oauth-id-jag+jwt',
      ...header,
    })
  }
  issuer.answerAt('/token', async (request, response) => {
    const params = new URLSearchParams(await text(request))
    exchanges.push(params)
    const requested = (name: string) => params.get(name) ?? undefined
    const signed = await assertion(requested('audience') ?? '', requested('client_id') ?? '', {
      sub: requested('subject_token'),
      resource: requested('resource'),
      scope: requested('scope'),
    })
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        ...{ access_token: signed, token_type: 'N_A', expires_in: 300 },
      }),
    )
  })
  return { ...issuer, assertion, exchanges }
}
