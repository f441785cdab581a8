/** Secrets in the `Authorization` header, from clients that do not encode them. */

import { timingSafeEqualStrings } from '../../crypto/hash.ts'

type Clients = readonly Readonly<Record<string, unknown>>[]

/**
 * RFC 6749, 2.3.1 wants id and secret form-encoded before they are joined, and the library insists.
 * The official MCP clients join them as they are, so that a secret with `+` or `%` in it (as
 * `openssl rand -base64` makes them) would never be taken. What equals a configured secret
 * character by character is encoded for them; all else is left to the library.
 */
export function encodedBasic(header: string | undefined, clients: Clients): string | undefined {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return header
  const shown = Buffer.from(encoded, 'base64').toString()
  const colon = shown.indexOf(':')
  const id = shown.slice(0, colon)
  const secret = shown.slice(colon + 1)
  const client = clients.find(({ client_id }) => client_id === id)
  const known = client?.client_secret
  if (typeof known !== 'string' || !timingSafeEqualStrings(known, secret)) return header
  const pair = [id, secret].map(encodeURIComponent).join(':')
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
