/** Which resources there are: those that are listed, and all that match a template. */

import { UriTemplate } from '@modelcontextprotocol/server'
import type { ResourceDefinition } from '../engine/define-resource.ts'
import type { Caller } from '../engine/identity.ts'
import type { Team } from '../engine/team.ts'
import { isVisible } from '../engine/visibility.ts'
import type { Logger } from '../logger.ts'
import { checkUriLength } from './bounds.ts'

/** Who asks, as far as it decides what there is. */
export interface Viewer {
  readonly identity: Caller
  readonly log: Logger
}

/**
 * Whether a client can subscribe to a URI. A template says nothing about whether its resource can be
 * read: only reading it would.
 * @throws AppError `invalid_params` for a URI that is too long, which is not matched at all
 */
export type KnowsResource = (uri: string, viewer: Viewer) => boolean

export function createKnownResources(
  resources: readonly ResourceDefinition[],
  team: Team,
): KnowsResource {
  const find = createFindResource(resources)
  return (uri, { identity, log }) => {
    checkUriLength(uri)
    const resource = find(uri)
    return resource !== undefined && isVisible(team, resource, identity, log)
  }
}

/** The resource that a URI is of: the one that has it, or the first whose template it matches. */
export function createFindResource(
  resources: readonly ResourceDefinition[],
): (uri: string) => ResourceDefinition | undefined {
  const isTemplate = ({ uri }: ResourceDefinition) => uri.includes('{')
  const listed = new Map(
    resources
      .filter((resource) => !isTemplate(resource))
      .map((resource) => [resource.uri, resource] as const),
  )
  const templates = resources
    .filter(isTemplate)
    .map((resource) => ({ resource, template: new UriTemplate(resource.uri) }))
  return (uri) => {
    const known = listed.get(uri)
    if (known !== undefined || !URL.canParse(uri)) return known
    return templates.find(({ template }) => template.match(uri) !== null)?.resource
  }
}
