/** Validates pre-registered clients (`OAUTH_CLIENTS`) at start. */

import type { Faults } from './faults.ts'
import {
  isConfidential,
  isMachineOnly,
  JWT_BEARER,
  listedGrants,
  MACHINE_GRANTS,
} from './machine-clients.ts'
import type { Variables } from './variables.ts'

type Client = Variables['OAUTH_CLIENTS'][number]

const METHODS = 'token_endpoint_auth_methods_supported'
const WITH_KEYS = 'private_key_jwt'
/** RFC 6749, section 3.3. */
const SCOPES = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const WITH_SECRET: readonly unknown[] = ['client_secret_basic', 'client_secret_post']

/**
 * Faults name clients by their position, starting at 1: an id field may hold a secret by mistake.
 */
export function checkClients(variables: Variables, faults: Faults): void {
  const { OAUTH_CLIENTS: clients, OAUTH_ID_JAG_ISSUERS: issuers = [] } = variables
  const ids = new Set<unknown>()
  for (const [index, client] of clients.entries()) {
    const isTaken = ids.has(client.client_id)
    const isUnused = issuers.length === 0 && listedGrants(client)?.includes(JWT_BEARER)
    const fault =
      (isTaken ? 'client_id is already used by another client' : clientFault(client)) ??
      (isUnused ? `grant_types: ${JWT_BEARER} requires OAUTH_ID_JAG_ISSUERS` : undefined)
    ids.add(client.client_id)
    if (fault !== undefined) faults.add('OAUTH_CLIENTS', `client ${index + 1}: ${fault}`)
  }
}

function clientFault(client: Client): string | undefined {
  const { client_id, client_secret: secret } = client
  const { skip_consent: skips } = client
  if (!isText(client_id)) return 'client_id must be a string'
  if (secret !== undefined && !isText(secret)) return 'client_secret must be a string'
  const uris = client.redirect_uris ?? (isMachineOnly(client) ? [] : undefined)
  const fewest = isMachineOnly(client) ? 0 : 1
  if (!Array.isArray(uris) || uris.length < fewest || !uris.every(isText)) {
    return 'redirect_uris must be an array of at least one URI'
  }
  if (skips !== undefined && typeof skips !== 'boolean') return 'skip_consent must be true or false'
  if (METHODS in client) return `${METHODS} must be left out: such a client has one method`
  return authFault(client) ?? machineFault(client)
}

function authFault(client: Client): string | undefined {
  const { client_secret: secret, token_endpoint_auth_method: method } = client
  if (method === undefined || method === 'none') return undefined
  if (method === WITH_KEYS) return keysFault(client)
  if (!WITH_SECRET.includes(method)) {
    return `token_endpoint_auth_method must be one of none, ${WITH_SECRET.join(', ')}, ${WITH_KEYS}`
  }
  return secret === undefined ? 'token_endpoint_auth_method requires a client_secret' : undefined
}

/** RFC 6749, section 4.4: only confidential clients get tokens for themselves. */
function machineFault(client: Client): string | undefined {
  const { grant_types: given, scope } = client
  if (given !== undefined && !(Array.isArray(given) && given.every(isText))) {
    return 'grant_types must be an array of grant types'
  }
  if (scope !== undefined && !(typeof scope === 'string' && SCOPES.test(scope))) {
    return 'scope must be scopes separated by spaces'
  }
  const machine = listedGrants(client)?.find((grant) => MACHINE_GRANTS.includes(grant))
  return machine === undefined || isConfidential(client)
    ? undefined
    : `grant_types: ${machine} requires a client_secret or ${WITH_KEYS}`
}

/** RFC 7591, section 2: `jwks` and `jwks_uri` exclude each other. */
function keysFault({ client_secret: secret, jwks, jwks_uri: uri }: Client): string | undefined {
  if (secret !== undefined) return `client_secret conflicts with ${WITH_KEYS}`
  if ((jwks === undefined) === (uri === undefined))
    return `${WITH_KEYS} requires either jwks or jwks_uri`
  if (uri !== undefined) {
    const isHttps = typeof uri === 'string' && URL.canParse(uri) && uri.startsWith('https://')
    return isHttps ? undefined : 'jwks_uri must be an https address'
  }
  return isPublicKeySet(jwks)
    ? undefined
    : 'jwks must be {"keys": […]} with public keys, of EC, OKP or RSA'
}

function isPublicKeySet(jwks: unknown): boolean {
  const { keys } = Object(jwks)
  if (!Array.isArray(keys) || keys.length === 0) return false
  return keys.every((key) => ['EC', 'OKP', 'RSA'].includes(Object(key).kty) && !('d' in key))
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== ''
}
