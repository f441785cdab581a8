/** For tests of resources: reads one as the server does, without a server. */

import { UriTemplate } from '@modelcontextprotocol/server'
import type { ResourceDefinition } from '../engine/define-resource.ts'
import { toResourceResult } from '../engine/define-resource.ts'

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
export async function readResource(
  resource: ResourceDefinition,
  uri = resource.uri,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): Promise<ResourceRead> {
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
  const value = await resource.read({ uri: url, variables, signal })
  const [content] = toResourceResult(resource, url, value).contents
  return {
    uri: url.href,
    mimeType: resource.mimeType,
    text: content !== undefined && 'text' in content ? content.text : undefined,
    blob: content !== undefined && 'blob' in content ? content.blob : undefined,
  }
}
