/** Reduces the library's metadata responses to OAuth, without OpenID Connect. */

import { ASSERTION_ALGORITHMS } from './client-assertions.ts'

/**
 * RFC 8414, 2; RFC 9207, 3 (`iss` against mix-up attacks);
 * draft-ietf-oauth-client-id-metadata-document, 5.
 */
const SERVER_METADATA = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'jwks_uri',
  'response_types_supported',
  'grant_types_supported',
  'code_challenge_methods_supported',
  'token_endpoint_auth_methods_supported',
  'authorization_response_iss_parameter_supported',
  'client_id_metadata_document_supported',
] as const

/** RFC 7591, 2 and 3.2.1. */
const CLIENT_METADATA = [
  'client_id',
  'client_id_issued_at',
  'client_secret',
  'client_secret_expires_at',
  'client_name',
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'contacts',
  'redirect_uris',
  'grant_types',
  'response_types',
  'token_endpoint_auth_method',
  'application_type',
] as const

type Body = Readonly<Record<string, unknown>>

export function serverMetadata(body: Body, scopes: readonly string[]): Body {
  const listed = body.token_endpoint_auth_methods_supported as readonly string[]
  const methods = [...listed, 'private_key_jwt']
  return {
    ...pick(body, SERVER_METADATA),
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    scopes_supported: scopes,
    response_modes_supported: ['query'],
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  }
}

export function clientMetadata(body: Body): Body {
  return pick(body, CLIENT_METADATA)
}

function pick(body: Body, names: readonly string[]): Body {
  return Object.fromEntries(
    names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]),
  )
}
