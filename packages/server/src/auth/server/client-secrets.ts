/** `client_secret_basic` from clients that do not form-encode their secrets. */

import { timingSafeEqualStrings } from '../../crypto/hash.ts'

type Clients = readonly Readonly<Record<string, unknown>>[]

/**
 * Form-encodes a configured secret that a client sent unencoded, before the library decodes it.
 * RFC 6749, 2.3.1 requires the encoding of id and secret, and the library enforces it; the official
 * MCP clients omit it. The library would refuse their secrets with `+` or `%` (as
 * `openssl rand -base64` creates them). Leaves all other headers unchanged.
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
