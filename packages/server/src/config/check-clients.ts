/** Validates pre-registered clients (`OAUTH_CLIENTS`) at start. */

import type { Faults } from './faults.ts'
import type { Variables } from './variables.ts'

type Client = Variables['OAUTH_CLIENTS'][number]

const METHODS = 'token_endpoint_auth_methods_supported'
const WITH_KEYS = 'private_key_jwt'
const WITH_SECRET: readonly unknown[] = ['client_secret_basic', 'client_secret_post']

/**
 * Faults name clients by their position, starting at 1: an id field may hold a secret by mistake.
 */
export function checkClients({ OAUTH_CLIENTS: clients }: Variables, faults: Faults): void {
  const ids = new Set<unknown>()
  for (const [index, client] of clients.entries()) {
    const fault = ids.has(client.client_id)
      ? 'client_id is already used by another client'
      : clientFault(client)
    ids.add(client.client_id)
    if (fault !== undefined) faults.add('OAUTH_CLIENTS', `client ${index + 1}: ${fault}`)
  }
}

function clientFault(client: Client): string | undefined {
  const { client_id, client_secret: secret, redirect_uris: uris } = client
  const { token_endpoint_auth_method: method, skip_consent: skips } = client
  if (!isText(client_id)) return 'client_id must be a string'
  if (secret !== undefined && !isText(secret)) return 'client_secret must be a string'
  if (!Array.isArray(uris) || uris.length === 0 || !uris.every(isText)) {
    return 'redirect_uris must be an array of at least one URI'
  }
  if (skips !== undefined && typeof skips !== 'boolean') return 'skip_consent must be true or false'
  if (METHODS in client) return `${METHODS} must be left out: such a client has one method`
  if (method === undefined || method === 'none') return undefined
  if (method === WITH_KEYS) return keysFault(client)
  if (!WITH_SECRET.includes(method)) {
    return `token_endpoint_auth_method must be one of none, ${WITH_SECRET.join(', ')}, ${WITH_KEYS}`
  }
  return secret === undefined ? 'token_endpoint_auth_method requires a client_secret' : undefined
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
