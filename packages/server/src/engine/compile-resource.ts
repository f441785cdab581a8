/** Compiles a declared resource, once, at startup. */

import { z } from 'zod'
import { refuseBrokenMasks } from '../output/broken-masks.ts'
import type { MaskRule } from '../output/mask.ts'
import { compileOutputSchema, type OutputSchema } from '../output/output-schema.ts'
import { checkLimits } from './compile-tool.ts'
import { fieldFault } from './declared-fields.ts'
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
  const fault = fieldFault('resource', definition)
  if (fault !== undefined) throw new TypeError(fault)
  const { name, uri, output } = definition
  if (typeof name !== 'string' || name === '') throw new TypeError('name is missing')
  if (typeof uri !== 'string') throw new TypeError('uri is missing')
  checkDeclaredUri(definition)
  const variables = variablesOf(uri)
  const stray = Object.keys(definition.complete ?? {}).find((each) => !variables.includes(each))
  if (stray !== undefined)
    throw new TypeError(`complete names "${stray}", which is no variable of uri`)
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

/** The names in the expressions of a template (RFC 6570, section 2.2). */
function variablesOf(uri: string): readonly string[] {
  const expressions = [...uri.matchAll(/\{[+#./;?&]?([^}]+)\}/g)]
  return expressions.flatMap(([, list = '']) =>
    list.split(',').map((name) => name.replace(/(?:\*|:\d+)$/, '').trim()),
  )
}
