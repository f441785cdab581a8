/** What clients may register, the same for all kinds of clients (RFC 7591). */

import { type AllClientMetadata, errors } from 'oidc-provider'
import { jsonBytes } from '../../store/storage-budget.ts'

export interface ClientRules {
  /** Why people may not be sent there. */
  readonly redirectUriFault: (uri: string) => string | undefined
  /** What the provider would sign ID tokens with. */
  readonly idTokenAlgorithm: 'ES256' | 'EdDSA'
}

const MOST_REDIRECT_URIS = 20
/** Bytes of JSON in UTF-8. */
const LONGEST_METADATA = 16_384

/** What has no meaning here and would be in the way: a registered scope blocks asking for more. */
const DROPPED = [
  'scope',
  'default_max_age',
  'default_acr_values',
  'require_auth_time',
  'sector_identifier_uri',
  'initiate_login_uri',
  'jwks',
  'jwks_uri',
] as const

/**
 * Puts metadata right before the library checks it.
 * @throws InvalidClientMetadata
 */
export function checkClient(metadata: AllClientMetadata, rules: ClientRules): void {
  for (const name of DROPPED) delete metadata[name]
  for (const [name, value] of Object.entries(metadata)) {
    // RFC 7591, 2 wants them left out; clients send them empty.
    if (value === null || value === '') delete metadata[name]
  }
  if (jsonBytes(metadata) > LONGEST_METADATA) {
    throw new errors.InvalidClientMetadata('client metadata is too long')
  }
  // RFC 8252, 7.3: the only type for which loopback addresses go with any port.
  metadata.application_type = 'native'
  metadata.id_token_signed_response_alg = rules.idTokenAlgorithm
  metadata.grant_types = supported(metadata.grant_types, ['authorization_code', 'refresh_token'])
  metadata.response_types = supported(metadata.response_types, ['code'])
  // The default asks for a secret, which a metadata document cannot have.
  const { token_endpoint_auth_method: method } = metadata
  if (isMetadataDocument(metadata) && method === 'client_secret_basic') {
    metadata.token_endpoint_auth_method = 'none'
  }
  checkRedirectUris(metadata.redirect_uris, rules)
}

function checkRedirectUris(uris: unknown, { redirectUriFault }: ClientRules): void {
  if (!Array.isArray(uris)) return
  if (uris.length > MOST_REDIRECT_URIS) {
    throw new errors.InvalidClientMetadata('redirect_uris has too many members')
  }
  for (const uri of uris) {
    const fault = typeof uri === 'string' ? redirectUriFault(uri) : 'must be strings'
    // The library makes `invalid_redirect_uri` of what begins with the property's name.
    if (fault) throw new errors.InvalidClientMetadata(`redirect_uris ${fault}`)
  }
}

/** What we cannot do is left out, as RFC 7591, 3.2.1 allows; wrong types are for the library. */
function supported<T>(asked: T, ours: readonly string[]): T {
  if (!Array.isArray(asked)) return asked
  const common = asked.filter((value) => ours.includes(value))
  return common.length > 0 ? (common as T) : asked
}

/** Whether its `client_id` is the address of a metadata document. */
export function isMetadataDocument({ client_id }: { readonly client_id?: unknown }): boolean {
  return typeof client_id === 'string' && /^https:\/\//i.test(client_id)
}

/** A pre-registered client without a secret is a public one. */
export function withDefaultAuthMethod(
  metadata: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const method = metadata.client_secret === undefined ? 'none' : 'client_secret_basic'
  return { token_endpoint_auth_method: method, ...metadata }
}
