/** Parses variables with their schema and reports every invalid one by name. */

import type { z } from 'zod'
import { wantedBy } from './facts.ts'
import type { Faults } from './faults.ts'
import type { RawVariables } from './sources.ts'

/**
 * Invalid variables fall back to their defaults, so that the checks between variables still run.
 */
export function parseVariables<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  raw: RawVariables,
  faults: Faults,
): z.output<z.ZodObject<Shape>> {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const sound: Record<string, string> = { ...raw }
  for (const { path } of result.error.issues) {
    const name = String(path[0])
    faults.add(name, `must be ${wantedBy(schema.shape[name] as unknown as z.ZodType)}`)
    delete sound[name]
  }
  return schema.parse(sound)
}
