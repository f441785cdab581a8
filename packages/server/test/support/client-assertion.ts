/** Client assertions as clients sign them (RFC 7523, section 2.2). */

import { generateKeyPairSync, sign } from 'node:crypto'

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Its key is not published. */
function assertionOf(client: string, audience: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: client, sub: client, aud: audience, iat, exp: iat + 60, jti: `${iat}` }
  const input = `${encode({ alg: 'RS256', kid: 'cimd-1', typ: 'JWT' })}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
}

/** Request parameters with an assertion. */
export function assertionBy(client: string, audience: string) {
  return { client_assertion_type: JWT_BEARER, client_assertion: assertionOf(client, audience) }
}
