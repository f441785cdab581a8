/** The `WWW-Authenticate` challenge: how to obtain a valid token (RFC 6750, 3; RFC 9728, 5.1). */

import type { Resource } from './resources.ts'

export interface Challenge {
  readonly resource: Resource
  /** All scopes that the request needs, so that one authorization is enough. */
  readonly scopes: readonly string[]
  /** Why the token is refused; omitted when the request carries none (RFC 6750, 3.1). */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  readonly description?: string
}

/** The value of the header. */
export function bearerChallenge({ resource, scopes, error, description }: Challenge): string {
  const parameters = [
    ...(error === undefined ? [] : [quoted('error', error)]),
    ...(description === undefined ? [] : [quoted('error_description', description)]),
    quoted('resource_metadata', resource.metadataUrl),
    ...(scopes.length === 0 ? [] : [quoted('scope', scopes.join(' '))]),
  ]
  return `Bearer ${parameters.join(', ')}`
}

/** RFC 6750, 3: printable ASCII only, without quotes and backslashes (no header injection). */
function quoted(name: string, value: string): string {
  return `${name}="${value.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '')}"`
}
