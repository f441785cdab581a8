/** For tests of resources: reads one as the server does, without a server. */

import { compileResource } from '../engine/compile-resource.ts'
import type { AnyResource } from '../engine/define-resource.ts'
import { createFindResource } from '../engine/find-resource.ts'
import { toResourceResult } from '../engine/resource-result.ts'

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
  resource: AnyResource,
  uri = resource.uri,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): Promise<ResourceRead> {
  const compiled = compileResource(resource)
  const found = /[{}]/.test(uri) ? undefined : createFindResource([compiled])(uri)
  if (found === undefined) {
    throw new Error(`${uri} is no URI of the resource ${resource.name}: ${resource.uri}`)
  }
  const { url, variables } = found
  const value = await resource.read({ uri: url, variables, signal })
  const [content] = toResourceResult(compiled, url.href, value).contents
  return {
    uri: url.href,
    mimeType: content?.mimeType,
    text: content !== undefined && 'text' in content ? content.text : undefined,
    blob: content !== undefined && 'blob' in content ? content.blob : undefined,
  }
}
