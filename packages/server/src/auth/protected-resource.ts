/** Protected resource metadata (RFC 9728, 2). */

import type { AdvertisedScopes } from './advertised-scopes.ts'
import type { Resource } from './resources.ts'

export interface ResourceFacts {
  /** The authorization server whose tokens the resource accepts. */
  readonly issuer: string
  readonly scopes: AdvertisedScopes
  /** Display name (`resource_name`). */
  readonly name: string
}

/** The metadata document of one resource. */
export async function protectedResourceMetadata({ url }: Resource, facts: ResourceFacts) {
  const { supported } = await facts.scopes()
  return {
    resource: url,
    authorization_servers: [facts.issuer],
    scopes_supported: supported,
    bearer_methods_supported: ['header'],
    resource_name: facts.name,
  }
}
