/** OAuth grants without a browser: which clients of OAUTH_CLIENTS may use them. */

/** RFC 6749, section 4.4. */
export const CLIENT_CREDENTIALS = 'client_credentials'
/** RFC 7523, section 2.1; carries an identity assertion (ID-JAG). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export const MACHINE_GRANTS: readonly unknown[] = [CLIENT_CREDENTIALS, JWT_BEARER]

type Client = Readonly<Record<string, unknown>>

/** The grant types that the entry lists; undefined if it lists none. */
export function listedGrants({ grant_types: listed }: Client): readonly unknown[] | undefined {
  return Array.isArray(listed) && listed.length > 0 ? listed : undefined
}

/** Whether the client can authenticate: public clients get no token without a person. */
export function isConfidential(client: Client): boolean {
  const { client_secret: secret, token_endpoint_auth_method: method } = client
  if (method === 'none') return false
  return method === 'private_key_jwt' || secret !== undefined
}

/** Whether the client uses no browser, and therefore needs no redirect URI. */
export function isMachineOnly(client: Client): boolean {
  return listedGrants(client)?.every((grant) => MACHINE_GRANTS.includes(grant)) ?? false
}

/**
 * Whether the client may use a grant without a browser. `client_credentials` must be listed. With
 * an identity assertion the issuer decides, so that an entry without `grant_types` may use it, too.
 */
export function mayUse(client: Client, grant: string): boolean {
  if (!isConfidential(client)) return false
  return listedGrants(client)?.includes(grant) ?? grant === JWT_BEARER
}
