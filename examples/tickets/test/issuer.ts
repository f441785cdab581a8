/** The company's authorization server: its tokens have the caller and the role. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** The audience of access tokens for this server (OAUTH_AUDIENCE). */
export const AUDIENCE = 'tickets'

export async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'key', alg: 'ES256', use: 'sig' }]
  const server = createServer((request, response) => {
    const isJwks = request.url === '/jwks'
    const body = isJwks ? { keys } : { issuer: url, jwks_uri: `${url}/jwks` }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    /** An access token for this server. */
    token: (subject: string, role = 'user') =>
      new SignJWT({ role, scope: 'tickets:read tickets:write', client_id: 'desk' })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'key' })
        .setIssuer(url)
        .setAudience(AUDIENCE)
        .setSubject(subject)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(privateKey),
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}
