/** Compiles a declared prompt, once, at startup. */

import { z } from 'zod'
import { refuseBrokenMasks } from '../output/broken-masks.ts'
import { toListedSchema } from '../output/listed-schema.ts'
import type { MaskRule } from '../output/mask.ts'
import { findMaskedFields } from '../output/masked-fields.ts'
import { checkLimits } from './compile-tool.ts'
import type { Complete } from './complete.ts'
import type { AnyPrompt } from './define-prompt.ts'
import { listedAs } from './listed-as.ts'
import { metaFault } from './meta.ts'
import { createInputParser } from './validate-input.ts'

export interface CompiledPrompt {
  readonly definition: AnyPrompt
  readonly name: string
  /** As the SDK lists it. */
  readonly listed: z.ZodObject
  /** @throws ToolError `invalid_arguments` */
  readonly parseInput: ReturnType<typeof createInputParser>
  /** Completion functions, by argument name. */
  readonly completers: ReadonlyMap<string, Complete>
  /** Masks, by argument name. */
  readonly masks: ReadonlyMap<string, MaskRule>
}

/**
 * Validates and compiles one prompt.
 * @throws TypeError that describes the fault of the declaration
 */
export function compilePrompt(definition: AnyPrompt): CompiledPrompt {
  const { name, description, arguments: schema } = definition
  if (typeof name !== 'string' || name === '') throw new TypeError('name is missing')
  if (typeof description !== 'string') throw new TypeError('description is missing')
  if (!(schema instanceof z.ZodObject)) throw new TypeError('arguments must be a z.object(…)')
  if (typeof definition.render !== 'function') throw new TypeError('render is missing')
  checkLimits(definition)
  const faultOfMeta = metaFault(definition.meta)
  if (faultOfMeta !== undefined) throw new TypeError(faultOfMeta)
  refuseBrokenMasks(name, 'arguments', schema, 'prompt')
  const listed = toListedSchema(schema, { io: 'input' })
  const masks = findMaskedFields(schema)
  return {
    definition,
    name,
    listed: listedAs(schema, listed),
    completers: completersOf(definition),
    parseInput: createInputParser(schema, listed, masks.size > 0),
    masks,
  }
}

/** The symbol under which the SDK's `completable(…)` stores its function on a schema. */
const COMPLETABLE = Symbol.for('mcp.completable')

interface Completable {
  readonly [COMPLETABLE]?: { readonly complete: Complete }
}

function completersOf({ arguments: schema, complete = {} }: AnyPrompt): Map<string, Complete> {
  const completers = new Map<string, Complete>()
  for (const [name, argument] of Object.entries(schema.shape)) {
    const inner = argument instanceof z.ZodOptional ? argument.unwrap() : argument
    const completer =
      (argument as Completable)[COMPLETABLE] ?? (inner as unknown as Completable)[COMPLETABLE]
    if (completer !== undefined) completers.set(name, completer.complete)
  }
  for (const [name, declared] of Object.entries(complete)) {
    if (!Object.hasOwn(schema.shape, name))
      throw new TypeError(`complete names "${name}", which is no argument`)
    if (declared !== undefined) completers.set(name, declared)
  }
  return completers
}
