/** What a protected resource says of itself (RFC 9728, 2). */

import type { Resource } from './resources.ts'
import type { Scopes } from './scopes.ts'

export interface ResourceFacts {
  /** The authorization server whose tokens are good here. */
  readonly issuer: string
  readonly scopes: Scopes
  /** For people. */
  readonly name: string
}

/** The metadata document of one resource. */
export function protectedResourceMetadata({ url }: Resource, facts: ResourceFacts) {
  return {
    resource: url,
    authorization_servers: [facts.issuer],
    scopes_supported: facts.scopes.supported,
    bearer_methods_supported: ['header'],
    resource_name: facts.name,
  }
}
