/** What clients may register, the same for all kinds of clients (RFC 7591). */

import { type AllClientMetadata, errors } from 'oidc-provider'
import { jsonBytes } from '../../store/storage-budget.ts'

export interface ClientRules {
  /** Why people may not be sent there. */
  readonly redirectUriFault: (uri: string) => string | undefined
  /** What the provider would sign ID tokens with. */
  readonly idTokenAlgorithm: 'ES256' | 'EdDSA'
  /** Whether the operator configured the client: what it asks for is granted or refused as it is. */
  readonly isPreRegistered: (clientId: unknown) => boolean
  /** Called with the redirect URIs that were left out of what a client registers. */
  readonly onDropped: (dropped: readonly DroppedRedirectUri[]) => void
}

export interface DroppedRedirectUri {
  /** Lower case, without the colon; empty where there is none. */
  readonly scheme: string
  /** Why people may not be sent there. */
  readonly fault: string
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
  'response_modes',
  'subject_type',
] as const

const GRANT_TYPES = ['authorization_code', 'refresh_token']
const RESPONSE_TYPES = ['code']

/** The library's default, as RFC 7591, 2 has it. */
const DEFAULT_AUTH_METHOD = 'client_secret_basic'
const AUTH_METHODS_WITH_SECRET: readonly unknown[] = [DEFAULT_AUTH_METHOD, 'client_secret_post']

/** Methods by which a client proves that it knows a secret it shares with the server. */
export const SHARED_SECRET_METHODS: readonly unknown[] = [
  ...AUTH_METHODS_WITH_SECRET,
  'client_secret_jwt',
]

/** Beside `redirect_uris`, what `checkClient` sees of what the library does not know. */
export const AUTH_METHOD_CHOICES = 'token_endpoint_auth_methods_supported'

/** The keys of a client's assertions: made from a metadata document or the configuration alone. */
export const ASSERTION_KEYS = 'assertion_keys'

/**
 * Puts metadata right before the library checks it.
 * @throws InvalidClientMetadata
 */
export function checkClient(metadata: AllClientMetadata, rules: ClientRules): void {
  for (const name of DROPPED) delete metadata[name]
  for (const [name, value] of Object.entries(metadata)) {
    if (isEmpty(value)) delete metadata[name]
  }
  if (jsonBytes(metadata) > LONGEST_METADATA) {
    throw new errors.InvalidClientMetadata('client metadata is too long')
  }
  // RFC 8252, 7.3: the only type for which loopback addresses go with any port.
  metadata.application_type = 'native'
  metadata.id_token_signed_response_alg = rules.idTokenAlgorithm
  metadata.grant_types = supported(metadata.grant_types, GRANT_TYPES)
  metadata.response_types = supported(metadata.response_types, RESPONSE_TYPES)
  const isPreRegistered = rules.isPreRegistered(metadata.client_id)
  if (!isPreRegistered) chooseAuthMethod(metadata)
  if (!isPreRegistered && !isMetadataDocument(metadata)) delete metadata[ASSERTION_KEYS]
  delete metadata[AUTH_METHOD_CHOICES]
  const { redirect_uris: uris } = metadata
  if (Array.isArray(uris)) metadata.redirect_uris = allowedRedirectUris(uris, metadata, rules)
}

/**
 * Replaces an authentication method that this server lacks by one it has (RFC 7591, 3.2.1): the
 * first that the client lists, else `none`, or the default where the library has made a secret.
 * Values of other types are for the library.
 */
function chooseAuthMethod(metadata: AllClientMetadata): void {
  const { token_endpoint_auth_method: named } = metadata
  if (named !== undefined && typeof named !== 'string') return
  const hasSecret = metadata.client_secret !== undefined
  // The library makes a secret for these. Where it did not, the metadata is ambiguous: it refuses.
  if (!hasSecret && SHARED_SECRET_METHODS.includes(named)) return
  const usable = authMethodsIn(metadata).find(
    (method) => method === 'none' || (hasSecret && AUTH_METHODS_WITH_SECRET.includes(method)),
  )
  const chosen = usable ?? (hasSecret ? DEFAULT_AUTH_METHOD : 'none')
  metadata.token_endpoint_auth_method = chosen as 'none'
  if (chosen !== 'none') return
  delete metadata.client_secret
  delete metadata.client_secret_expires_at
}

/**
 * The authentication methods that client metadata names, the preferred one first. The list is of
 * OpenID Connect RP Metadata Choices 1.0; where it lacks the default, the client did not name that.
 */
export function authMethodsIn(metadata: Readonly<Record<string, unknown>>): readonly unknown[] {
  const { token_endpoint_auth_method: named, [AUTH_METHOD_CHOICES]: listed } = metadata
  const choices: readonly unknown[] = Array.isArray(listed) ? listed : []
  const isDefault = named === DEFAULT_AUTH_METHOD && choices.length > 0 && !choices.includes(named)
  return named === undefined || isDefault ? choices : [named, ...choices]
}

/** RFC 7591, 2 wants values left out that do not apply; clients send them empty. */
export function isEmpty(value: unknown): boolean {
  return value === null || value === ''
}

/**
 * Drops the addresses that people may not be sent to, and keeps the others (RFC 7591, 3.2.1): clients
 * register all of theirs at once. Clients of the configuration are refused instead.
 * @throws InvalidClientMetadata when none is left
 */
function allowedRedirectUris(
  uris: readonly string[],
  { client_id }: AllClientMetadata,
  { redirectUriFault, isPreRegistered, onDropped }: ClientRules,
): string[] {
  if (uris.length > MOST_REDIRECT_URIS) {
    throw new errors.InvalidClientMetadata('redirect_uris has too many members')
  }
  const kept: string[] = []
  const dropped: DroppedRedirectUri[] = []
  for (const uri of uris) {
    const fault = typeof uri === 'string' ? redirectUriFault(uri) : 'must be strings'
    if (fault === undefined) kept.push(uri)
    else dropped.push({ scheme: schemeOf(uri), fault })
  }
  const [first] = dropped
  if (first === undefined) return kept
  if (kept.length === 0 || isPreRegistered(client_id)) {
    // The library makes `invalid_redirect_uri` of what begins with the property's name.
    throw new errors.InvalidClientMetadata(`redirect_uris ${first.fault}`)
  }
  onDropped(dropped)
  return kept
}

function schemeOf(uri: unknown): string {
  return /^([a-z][a-z\d+.-]{0,63}):/i.exec(String(uri))?.[1]?.toLowerCase() ?? ''
}

/**
 * Leaves out what this server lacks, as RFC 7591, 3.2.1 allows; an empty list asks for nothing in
 * particular. Wrong types are for the library.
 */
function supported<T>(asked: T, ours: readonly string[]): T {
  if (!Array.isArray(asked)) return asked
  if (asked.length === 0) return [...ours] as T
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
