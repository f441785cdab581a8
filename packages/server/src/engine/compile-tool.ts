/** Compiles a declared tool, once, at startup. */

import { z } from 'zod'
import { refuseBrokenMasks } from '../output/broken-masks.ts'
import { listInput } from '../output/input-schema.ts'
import type { JsonSchema } from '../output/listed-schema.ts'
import type { MaskRule } from '../output/mask.ts'
import { findMaskedFields, mergeMasks } from '../output/masked-fields.ts'
import { compileOutputSchema, type OutputSchema } from '../output/output-schema.ts'
import type { Rate } from '../store/rate-limits.ts'
import { fieldFault } from './declared-fields.ts'
import { type AnyTool, loginsOf } from './define-tool.ts'
import { metaFault } from './meta.ts'
import { createInputParser } from './validate-input.ts'

/** The argument for the session handle, for callers with neither token nor MCP session. */
export const SESSION_ARGUMENT = 'session'

export interface CompiledTool {
  readonly definition: AnyTool
  /** Input schema for callers with a token. */
  readonly inputSchema: JsonSchema
  /** Input schema for callers without a token: adds the session handle if the tool uses it. */
  readonly anonymousInputSchema: JsonSchema
  /** Undefined for a content tool. */
  readonly output: OutputSchema | undefined
  /** @throws ToolError `invalid_arguments` */
  readonly parseInput: ReturnType<typeof createInputParser>
  /** Masks by property name: of the input, and of input and output together. */
  readonly masks: {
    readonly input: ReadonlyMap<string, MaskRule>
    readonly all: ReadonlyMap<string, MaskRule>
  }
}

/** Format of tool names (SEP-986). */
const NAME = /^[A-Za-z0-9_.-]{1,128}$/

/** One day. Node's timers overflow above 24 days, and then fire at once. */
export const LONGEST_SECONDS = 86_400

/**
 * Validates and compiles one tool.
 * @throws TypeError that describes the fault of the declaration
 */
export function compileTool(definition: AnyTool): CompiledTool {
  const fault = fieldFault('tool', definition)
  if (fault !== undefined) throw new TypeError(fault)
  const { name, description, input, output, requires } = definition
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError('name must be 1 to 128 letters, digits, "_", "-" or "."')
  }
  if (typeof description !== 'string' || description === '')
    throw new TypeError('description is missing')
  if (!(input instanceof z.ZodObject))
    throw new TypeError('input must be a z.object(…) or a jsonSchema(…)')
  if (output !== undefined && !(output instanceof z.ZodType))
    throw new TypeError('output must be a schema of zod, such as z.object(…)')
  const faultOfMeta = metaFault(definition.meta)
  if (faultOfMeta !== undefined) throw new TypeError(faultOfMeta)
  if (typeof definition.run !== 'function') throw new TypeError('run is missing')
  checkLimits(definition)
  refuseBrokenMasks(name, 'input', input)
  if (output !== undefined) refuseBrokenMasks(name, 'output', output)
  const inputSchema = listInput(input)
  if (SESSION_ARGUMENT in ((inputSchema.properties as object | undefined) ?? {})) {
    throw new TypeError(`input must not declare "${SESSION_ARGUMENT}": the engine adds it`)
  }
  const inputMasks = findMaskedFields(input)
  const compiledOutput = output && compileOutputSchema(output)
  const takesSession = loginsOf(requires).length > 0 || requires?.session === true
  return {
    definition,
    inputSchema,
    anonymousInputSchema: takesSession ? withSessionArgument(inputSchema) : inputSchema,
    output: compiledOutput,
    parseInput: createInputParser(input, inputSchema, inputMasks.size > 0),
    masks: {
      input: inputMasks,
      all: mergeMasks(inputMasks, compiledOutput?.masksByField ?? new Map()),
    },
  }
}

/**
 * Validates the limits and requirements that tools, resources and prompts share.
 * @throws TypeError
 */
export function checkLimits({
  timeoutSeconds,
  rateLimit,
  requires,
}: Pick<AnyTool, 'timeoutSeconds' | 'rateLimit' | 'requires'>): void {
  if (!isTimeLimit(timeoutSeconds))
    throw new TypeError(`timeoutSeconds must be more than 0 and at most ${LONGEST_SECONDS}`)
  if (!isRate(rateLimit))
    throw new TypeError(
      `rateLimit must be { calls, perSeconds }: whole numbers from 1, a window of at most ${LONGEST_SECONDS}`,
    )
  if (!isLogin(requires?.login)) {
    throw new TypeError('requires.login must be true, false, the name of an upstream, or several')
  }
}

function isLogin(login: unknown): boolean {
  if (login === undefined || typeof login === 'boolean') return true
  const names: unknown[] = Array.isArray(login) ? login : [login]
  return names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')
}

export function isTimeLimit(seconds: number | undefined): boolean {
  return seconds === undefined || (seconds > 0 && seconds <= LONGEST_SECONDS)
}

function isRate(rate: Rate | undefined): boolean {
  if (rate === undefined) return true
  const { calls, perSeconds } = rate
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1
  return isCount(calls) && isCount(perSeconds) && perSeconds <= LONGEST_SECONDS
}

function withSessionArgument(schema: JsonSchema): JsonSchema {
  const properties = schema.properties as Readonly<Record<string, unknown>> | undefined
  const session = {
    type: 'string',
    description: 'The session handle that `login` returned. Leave it out if `login` returned none.',
  }
  return { ...schema, properties: { ...properties, [SESSION_ARGUMENT]: session } }
}
