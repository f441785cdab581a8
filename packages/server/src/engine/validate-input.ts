/** Checks a call's arguments, at a cost that its caller cannot choose. */

import type { z } from 'zod'
import type { JsonSchema } from '../output/listed-schema.ts'
import { withoutMasking } from '../output/mask.ts'
import type { Redactor } from '../output/redactor.ts'
import { partsOf } from '../output/schema-parts.ts'
import { lenientArguments } from './lenient-arguments.ts'
import { ToolError } from './tool-error.ts'
import { validationText } from './validation-text.ts'

/** zod makes an issue for each value that does not fit any member of a union, 2 µs each. */
const MOST_COLLECTED = 25_000

/**
 * Stops at the first fault of each list; the same values come out of what fits. zod is slower with it
 * for what fits, so that only large arguments are checked that way.
 */
const FIRST_FAULT = { abortEarly: true } as z.core.ParseContext<z.core.$ZodIssue>

/** Whether arguments must be exactly what is listed, or may be rewritten to it: TOOL_ARGUMENTS. */
export type ArgumentsMode = 'strict' | 'lenient'

type Arguments = Readonly<Record<string, unknown>>

/**
 * Parses arguments; masked fields stay as they are. Where they do not fit, they are tried once more as
 * models mean them (`lenientArguments`), by the schema that is listed; the error is that of the first
 * try.
 * @throws ToolError `invalid_arguments`, with the first faults in words
 */
export function createInputParser(schema: z.ZodObject, listed: JsonSchema) {
  const weight = issuesPerValue(schema)
  const isDear = (input: object) =>
    weight > 1 && countValues(input, MOST_COLLECTED / weight) * weight > MOST_COLLECTED

  function parse(input: Arguments, context?: typeof FIRST_FAULT) {
    return withoutMasking(() => schema.safeParse(input, context))
  }

  return (input: Arguments, redactor: Redactor, mode: ArgumentsMode = 'lenient') => {
    const context = isDear(input) ? FIRST_FAULT : undefined
    const parsed = parse(input, context)
    if (parsed.success) return parsed.data
    const meant = mode === 'lenient' ? lenientArguments(input, listed) : undefined
    if (meant !== undefined) {
      redactor.learn(meant)
      const again = parse(meant, FIRST_FAULT)
      if (again.success) return again.data
    }
    const more = context === undefined ? '' : '\n… and maybe more'
    const text = validationText(parsed.error.issues, redactor.scrub)
    throw new ToolError(`Invalid arguments:\n${text}${more}`, { code: 'invalid_arguments' })
  }
}

/** The most issues that one value may come to: one for each member of the unions around it. */
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

/** Counts the values in one, at any depth, as far as `most` and a little more. */
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
