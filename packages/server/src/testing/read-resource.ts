/** For tests of resources: reads one as the server does, without starting a server. */

import { ResourceNotFoundError } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { compileResource } from '../engine/compile-resource.ts'
import type { AnyResource, ResourceDefinition } from '../engine/define-resource.ts'
import type { Env } from '../engine/env.ts'
import { createFindResource } from '../engine/find-resource.ts'
import { runRead } from '../engine/run-read.ts'
import { telemetry } from './no-telemetry.ts'
import { type PersonOptions, type PersonRunFacts, runAsPerson } from './person-runner.ts'

export type ReadResourceOptions<E extends Env = Env> = PersonOptions<E>

export interface ResourceRead extends PersonRunFacts {
  readonly uri: string
  readonly mimeType: string | undefined
  /** Undefined for a resource of bytes. */
  readonly text: string | undefined
  /** Base64; undefined for a resource of text. */
  readonly blob: string | undefined
  /** The parsed text, if the resource has an `output`. */
  readonly json: unknown
}

/**
 * Reads a resource; `uri` is needed for a template, such as `bank://branches/london`.
 * @throws Error if the URI does not match the resource, and the error that a client receives, with
 * its code in `data.code` and what the server logs as `cause`
 */
export async function readResource<Output extends z.ZodObject | undefined, E extends Env>(
  resource: ResourceDefinition<Output, E>,
  uri = resource.uri,
  options: ReadResourceOptions<NoInfer<E>> = {},
): Promise<ResourceRead> {
  // Inside, the types of an environment are unknown.
  const compiled = compileResource(resource as unknown as AnyResource)
  const found = /[{}]/.test(uri) ? undefined : createFindResource([compiled])(uri)
  if (found === undefined) {
    throw new Error(`${uri} does not match the resource ${resource.name}: ${resource.uri}`)
  }
  const { result, ...facts } = await runAsPerson(resource, { uri }, options, {
    run: (call, settings) => runRead(found, call, settings, telemetry),
    unknown(cause) {
      throw Object.assign(new ResourceNotFoundError(uri), { cause })
    },
  })
  const [content] = result.contents
  const text = content !== undefined && 'text' in content ? content.text : undefined
  return {
    uri: found.url.href,
    mimeType: content?.mimeType,
    text,
    blob: content !== undefined && 'blob' in content ? content.blob : undefined,
    json: compiled.output === undefined || text === undefined ? undefined : JSON.parse(text),
    ...facts,
  }
}
