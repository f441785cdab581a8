/** Compiles a declared resource, once, at startup. */

import { z } from 'zod'
import { refuseBrokenMasks } from '../output/broken-masks.ts'
import type { MaskRule } from '../output/mask.ts'
import { compileOutputSchema, type OutputSchema } from '../output/output-schema.ts'
import { checkLimits } from './compile-tool.ts'
import type { AnyResource } from './define-resource.ts'
import { checkDeclaredUri } from './find-resource.ts'
import { metaFault } from './meta.ts'

export interface CompiledResource {
  readonly definition: AnyResource
  readonly name: string
  readonly uri: string
  /** Undefined for a resource whose content is returned unchanged. */
  readonly output: OutputSchema | undefined
  /** Masks by property name, for logs and errors. */
  readonly masks: ReadonlyMap<string, MaskRule>
}

/**
 * Validates and compiles one resource.
 * @throws TypeError that describes the fault of the declaration
 */
export function compileResource(definition: AnyResource): CompiledResource {
  const { name, uri, output } = definition
  if (typeof name !== 'string' || name === '') throw new TypeError('name is missing')
  if (typeof uri !== 'string') throw new TypeError('uri is missing')
  checkDeclaredUri(definition)
  if (typeof definition.read !== 'function') throw new TypeError('read is missing')
  if (output !== undefined && !(output instanceof z.ZodObject))
    throw new TypeError('output must be a z.object(…)')
  if (output !== undefined) refuseBrokenMasks(name, 'output', output, 'resource')
  checkLimits(definition)
  const faultOfMeta = metaFault(definition.meta)
  if (faultOfMeta !== undefined) throw new TypeError(faultOfMeta)
  const compiled = output && compileOutputSchema(output)
  const masks = compiled?.masksByField ?? new Map()
  return { definition, name, uri, output: compiled, masks }
}
