/** Clients known from the start: what can be told of them before anything runs. */

import type { Faults } from './faults.ts'
import type { Variables } from './variables.ts'

type Client = Variables['OAUTH_CLIENTS'][number]

const WITH_SECRET: readonly unknown[] = ['client_secret_basic', 'client_secret_post']

/** Names clients by their place from 1 on, as there may be secrets where an id should be. */
export function checkClients({ OAUTH_CLIENTS: clients }: Variables, faults: Faults): void {
  const ids = new Set<unknown>()
  for (const [index, client] of clients.entries()) {
    const fault = ids.has(client.client_id) ? 'client_id is taken already' : clientFault(client)
    ids.add(client.client_id)
    if (fault !== undefined) faults.add('OAUTH_CLIENTS', `client ${index + 1}: ${fault}`)
  }
}

function clientFault(client: Client): string | undefined {
  const { client_id, client_secret: secret, redirect_uris: uris } = client
  const { token_endpoint_auth_method: method, skip_consent: skips } = client
  if (!isText(client_id)) return 'client_id wants text'
  if (secret !== undefined && !isText(secret)) return 'client_secret wants text'
  if (!Array.isArray(uris) || uris.length === 0 || !uris.every(isText)) {
    return 'redirect_uris wants an array of addresses, one at least'
  }
  if (skips !== undefined && typeof skips !== 'boolean') return 'skip_consent wants true or false'
  if (method === undefined || method === 'none') return undefined
  if (!WITH_SECRET.includes(method)) {
    return `token_endpoint_auth_method wants one of none, ${WITH_SECRET.join(', ')}`
  }
  return secret === undefined ? 'token_endpoint_auth_method wants a client_secret' : undefined
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== ''
}
