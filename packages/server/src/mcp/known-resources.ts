/** Which URIs clients can subscribe to: those of fixed resources, and all that match a template. */

import type { CompiledResource } from '../engine/compile-resource.ts'
import type { FindResource } from '../engine/find-resource.ts'
import { checkUriLength } from './bounds.ts'

/**
 * Whether a client can subscribe to a URI. A template says nothing about whether its resource can be
 * read: only reading it would.
 * @throws AppError `invalid_params` for a URI that is too long, which is not matched at all
 */
export type KnowsResource = (uri: string) => boolean

export function createKnownResources(find: FindResource<CompiledResource>): KnowsResource {
  return (uri) => {
    checkUriLength(uri)
    try {
      return find(uri) !== undefined
    } catch {
      // No URI, or values that nothing reads.
      return false
    }
  }
}
