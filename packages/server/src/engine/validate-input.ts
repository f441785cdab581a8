/** Validates a call's arguments at a bounded cost (denial of service). */

import type { z } from 'zod'
import type { JsonSchema } from '../output/listed-schema.ts'
import { type Redactor, withoutMasking } from '../output/mask.ts'
import { partsOf } from '../output/schema-parts.ts'
import { lenientArguments } from './lenient-arguments.ts'
import { ToolError } from './tool-error.ts'
import { validationText } from './validation-text.ts'

/** Bounds the issues that zod collects: one per union member for each value that matches none. */
const MOST_COLLECTED = 25_000

/**
 * Stops at the first fault of each list; does not change the result for valid input. zod parses
 * valid input more slowly with it, so it is used for large arguments only.
 */
const FIRST_FAULT = { abortEarly: true } as z.core.ParseContext<z.core.$ZodIssue>

/** Whether arguments must match the listed schema exactly, or may be coerced: TOOL_ARGUMENTS. */
export type ArgumentsMode = 'strict' | 'lenient'

type Arguments = Readonly<Record<string, unknown>>

interface Redacting {
  readonly redactor: Redactor
}

/**
 * Parses arguments, without masking. Invalid arguments are coerced to the listed schema
 * (`lenientArguments`) and parsed once more; if that fails as well, reports the error of the first
 * attempt.
 * @throws ToolError `invalid_arguments`, with a description of the first faults
 */
export function createInputParser(schema: z.ZodObject, listed: JsonSchema, isMasked: boolean) {
  const weight = issuesPerValue(schema)
  const isDear = (input: object) =>
    weight > 1 && countValues(input, MOST_COLLECTED / weight) * weight > MOST_COLLECTED

  /** Runs a check of the schema; if it throws, its error may repeat a masked value. */
  function parse(input: Arguments, { redactor }: Redacting, context?: typeof FIRST_FAULT) {
    if (!isMasked) return schema.safeParse(input, context)
    try {
      return withoutMasking(() => schema.safeParse(input, context))
    } catch (error) {
      redactor.learn(input)
      throw error
    }
  }

  return (input: Arguments, run: Redacting, mode: ArgumentsMode = 'lenient') => {
    const context = isDear(input) ? FIRST_FAULT : undefined
    const parsed = parse(input, run, context)
    if (parsed.success) return parsed.data
    const meant = mode === 'lenient' ? lenientArguments(input, listed) : undefined
    if (meant !== undefined) {
      const again = parse(meant, run, FIRST_FAULT)
      if (again.success) return again.data
      if (isMasked) run.redactor.learn(meant)
    }
    if (isMasked) run.redactor.learn(input)
    const more = context === undefined ? '' : '\n… and maybe more'
    const text = validationText(parsed.error.issues, run.redactor.scrub)
    throw new ToolError(`Invalid arguments:\n${text}${more}`, { code: 'invalid_arguments' })
  }
}

/** Maximum number of issues per value: one for each member of the unions around it. */
function issuesPerValue(root: z.core.$ZodType): number {
  const known = new Map<z.core.$ZodType, number>()

  function weigh(schema: z.core.$ZodType): number {
    const weighed = known.get(schema)
    if (weighed !== undefined) return weighed
    known.set(schema, 1)
    const parts = partsOf(schema).map((part) => weigh(part.schema))
    const isUnion = (schema as z.core.$ZodTypes)._zod.def.type === 'union'
    const most = isUnion ? parts.reduce((sum, part) => sum + part, 0) : Math.max(1, ...parts)
    known.set(schema, most)
    return most
  }

  return weigh(root)
}

/** Counts nested values at any depth; stops soon after `most`. */
function countValues(root: unknown, most: number): number {
  let count = 0
  const open: unknown[] = [root]
  for (let next = open.pop(); next !== undefined && count <= most; next = open.pop()) {
    count += 1
    if (typeof next !== 'object' || next === null) continue
    for (const item of Object.values(next)) open.push(item ?? null)
  }
  return count
}
