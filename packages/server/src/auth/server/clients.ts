/**
 * Client metadata (RFC 7591, dynamic client registration): the same rules for all kinds of clients.
 */

import { type AllClientMetadata, errors } from 'oidc-provider'
import { isMachineOnly, MACHINE_GRANTS } from '../../config/machine-clients.ts'
import { jsonBytes } from '../../store/storage-budget.ts'

export interface ClientRules {
  /** Why a client may not register a redirect URI; undefined if it may. */
  readonly redirectUriFault: (uri: string) => string | undefined
  /** The algorithm that the library requires for ID tokens. */
  readonly idTokenAlgorithm: 'ES256' | 'EdDSA'
  /** Whether the operator configured the client: its metadata is accepted or refused unchanged. */
  readonly isPreRegistered: (clientId: unknown) => boolean
  /** Called with the redirect URIs that were removed from a registration. */
  readonly onDropped: (dropped: readonly DroppedRedirectUri[]) => void
}

export interface DroppedRedirectUri {
  /** Lower case, without the colon; empty if the URI has no scheme. */
  readonly scheme: string
  /** Why the client may not register the URI. */
  readonly fault: string
}

const MOST_REDIRECT_URIS = 20
/** Bytes of JSON in UTF-8. */
const LONGEST_METADATA = 16_384

/** Unsupported metadata, ignored. A registered `scope` would prevent step-up to further scopes. */
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

/** Metadata that only describes the client (RFC 7591, 2); the library refuses malformed values. */
const DESCRIPTIONS: Readonly<Record<string, (value: unknown) => boolean>> = {
  client_name: isText,
  contacts: (value) => Array.isArray(value) && value.every(isText),
  client_uri: isWebAddress,
  logo_uri: isWebAddress,
  policy_uri: isWebAddress,
  tos_uri: isWebAddress,
}

const GRANT_TYPES = ['authorization_code', 'refresh_token']
const RESPONSE_TYPES = ['code']

/** The library's default, by RFC 7591, 2. */
const DEFAULT_AUTH_METHOD = 'client_secret_basic'
const AUTH_METHODS_WITH_SECRET: readonly unknown[] = [DEFAULT_AUTH_METHOD, 'client_secret_post']

/** Authentication methods with a shared secret. */
export const SHARED_SECRET_METHODS: readonly unknown[] = [
  ...AUTH_METHODS_WITH_SECRET,
  'client_secret_jwt',
]

/** Metadata that the library does not know, passed through to `checkClient`. */
export const AUTH_METHOD_CHOICES = 'token_endpoint_auth_methods_supported'

/** The keys of a client's assertions; set only from a metadata document or the configuration. */
export const ASSERTION_KEYS = 'assertion_keys'

/**
 * Normalizes client metadata before the library validates it.
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
  // RFC 8252, 7.3: the only type for which the library permits any port on loopback.
  metadata.application_type = 'native'
  metadata.id_token_signed_response_alg = rules.idTokenAlgorithm
  const isPreRegistered = rules.isPreRegistered(metadata.client_id)
  if (!isPreRegistered) dropMalformedDescriptions(metadata)
  const grants = isPreRegistered ? [...GRANT_TYPES, ...MACHINE_GRANTS] : GRANT_TYPES
  metadata.grant_types = supported(metadata.grant_types, grants)
  if (!isPreRegistered && metadata.grant_types?.some?.((type) => MACHINE_GRANTS.includes(type))) {
    throw new errors.InvalidClientMetadata('grant_types must contain authorization_code')
  }
  if (!(isPreRegistered && isMachineOnly(metadata))) {
    metadata.response_types = supported(metadata.response_types, RESPONSE_TYPES)
  }
  if (!isPreRegistered) chooseAuthMethod(metadata)
  if (!isPreRegistered && !isMetadataDocument(metadata)) delete metadata[ASSERTION_KEYS]
  delete metadata[AUTH_METHOD_CHOICES]
  const { redirect_uris: uris } = metadata
  if (Array.isArray(uris)) metadata.redirect_uris = allowedRedirectUris(uris, metadata, rules)
}

/**
 * Replaces an unsupported authentication method by a supported one (RFC 7591, 3.2.1): the first
 * that the client lists, else `none`, or the default if the library has generated a secret. Leaves
 * values of other types to the library's validation.
 */
function chooseAuthMethod(metadata: AllClientMetadata): void {
  const { token_endpoint_auth_method: named } = metadata
  if (named !== undefined && typeof named !== 'string') return
  const hasSecret = metadata.client_secret !== undefined
  // The library generates a secret for these; without one the metadata is ambiguous and refused.
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
 * The authentication methods that client metadata names, the preferred one first. The list is from
 * OpenID Connect RP Metadata Choices 1.0. If it lacks the default method, that method came from the
 * library and not from the client.
 */
export function authMethodsIn(metadata: Readonly<Record<string, unknown>>): readonly unknown[] {
  const { token_endpoint_auth_method: named, [AUTH_METHOD_CHOICES]: listed } = metadata
  const choices: readonly unknown[] = Array.isArray(listed) ? listed : []
  const isDefault = named === DEFAULT_AUTH_METHOD && choices.length > 0 && !choices.includes(named)
  return named === undefined || isDefault ? choices : [named, ...choices]
}

function dropMalformedDescriptions(metadata: AllClientMetadata): void {
  for (const [name, isValid] of Object.entries(DESCRIPTIONS)) {
    if (!isValid(metadata[name])) delete metadata[name]
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isWebAddress(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
}

/** RFC 7591, 2 requires clients to omit values that do not apply; some send them empty. */
export function isEmpty(value: unknown): boolean {
  return value === null || value === ''
}

/**
 * Drops disallowed redirect URIs and keeps the others (RFC 7591, 3.2.1), since clients register all
 * of theirs at once. Refuses pre-registered clients instead.
 * @throws InvalidClientMetadata when no URI is left
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
    // The library reports `invalid_redirect_uri` if the message begins with the property's name.
    throw new errors.InvalidClientMetadata(`redirect_uris ${first.fault}`)
  }
  onDropped(dropped)
  return kept
}

function schemeOf(uri: unknown): string {
  return /^([a-z][a-z\d+.-]{0,63}):/i.exec(String(uri))?.[1]?.toLowerCase() ?? ''
}

/**
 * Drops unsupported values, as RFC 7591, 3.2.1 permits; an empty list means all supported values.
 * Leaves wrong types to the library's validation.
 */
function supported<T>(asked: T, ours: readonly unknown[]): T {
  if (!Array.isArray(asked)) return asked
  if (asked.length === 0) return [...ours] as T
  const common = asked.filter((value) => ours.includes(value))
  return common.length > 0 ? (common as T) : asked
}

/** Whether `client_id` is the URL of a client ID metadata document. */
export function isMetadataDocument({ client_id }: { readonly client_id?: unknown }): boolean {
  return typeof client_id === 'string' && /^https:\/\//i.test(client_id)
}

/** A client that uses no browser has neither redirect URIs nor response types. */
export function withoutRedirects(
  metadata: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (!isMachineOnly(metadata)) return metadata
  return { ...metadata, redirect_uris: [], response_types: [] }
}

/** A pre-registered client without a secret is a public client. */
export function withDefaultAuthMethod(
  metadata: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const method = metadata.client_secret === undefined ? 'none' : 'client_secret_basic'
  return { token_endpoint_auth_method: method, ...metadata }
}
