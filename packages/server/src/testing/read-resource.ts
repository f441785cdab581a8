/** For tests of resources: reads one as the server does, without a server. */

import { UriTemplate } from '@modelcontextprotocol/server'
import type { ResourceDefinition } from '../engine/define-resource.ts'
import { toResourceResult } from '../engine/define-resource.ts'
import type { Env } from '../engine/env.ts'
import { type FakeTeam, fakeCaller, fakeTeam } from './fake-team.ts'

export interface ReadResourceOptions<E extends Env = Env> extends Omit<FakeTeam<E>, 'hooks'> {
  readonly signal?: AbortSignal
}

export interface ResourceRead {
  readonly uri: string
  readonly mimeType: string | undefined
  /** Undefined for a resource of bytes. */
  readonly text: string | undefined
  /** Base64; undefined for a resource of text. */
  readonly blob: string | undefined
}

/**
 * Reads a resource; `uri` is needed for a template, such as `bank://branches/london`.
 * @throws Error when the URI does not fit the resource, and whatever `read` throws
 */
export async function readResource<E extends Env>(
  resource: ResourceDefinition<E>,
  uri = resource.uri,
  options: ReadResourceOptions<NoInfer<E>> = {},
): Promise<ResourceRead> {
  const { signal = new AbortController().signal } = options
  const isTemplate = resource.uri.includes('{')
  const variables = isTemplate
    ? new UriTemplate(resource.uri).match(uri)
    : uri === resource.uri
      ? {}
      : null
  if (variables === null || uri.includes('{')) {
    throw new Error(`${uri} is no URI of the resource ${resource.name}: ${resource.uri}`)
  }
  const url = new URL(uri)
  const { env } = fakeTeam(resource, options)
  const { caller } = fakeCaller(options)
  // Inside the types of an environment are not known.
  const declared = resource as unknown as ResourceDefinition
  const value = await declared.read({ uri: url, variables, signal, caller, ...env })
  const [content] = toResourceResult(declared, url, value).contents
  return {
    uri: url.href,
    mimeType: resource.mimeType,
    text: content !== undefined && 'text' in content ? content.text : undefined,
    blob: content !== undefined && 'blob' in content ? content.blob : undefined,
  }
}
