/** Which resources there are: those that are listed, and all that match a template. */

import { UriTemplate } from '@modelcontextprotocol/server'
import type { ResourceDefinition } from '../engine/define-resource.ts'
import { checkUriLength } from './bounds.ts'

/**
 * Whether a client can subscribe to a URI. A template says nothing about whether its resource can be
 * read: only reading it would.
 * @throws AppError `invalid_params` for a URI that is too long, which is not matched at all
 */
export type KnowsResource = (uri: string) => boolean

export function createKnownResources(
  resources: readonly Pick<ResourceDefinition, 'uri'>[],
): KnowsResource {
  const uris = resources.map(({ uri }) => uri)
  const isTemplate = (uri: string) => uri.includes('{')
  const listed = new Set(uris.filter((uri) => !isTemplate(uri)))
  const templates = uris.filter(isTemplate).map((uri) => new UriTemplate(uri))
  return (uri) => {
    checkUriLength(uri)
    if (listed.has(uri)) return true
    return URL.canParse(uri) && templates.some((template) => template.match(uri) !== null)
  }
}
