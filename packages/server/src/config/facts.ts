/** Metadata of a variable, in addition to its schema; generates faults and documentation. */

import { z } from 'zod'
import { values } from './values.ts'

export interface VariableFacts {
  /** The purpose, in one or two sentences; also shown in the reference table. */
  readonly what: string
  /** The value is a secret and must never be shown. */
  readonly secret?: true
  /** The server refuses to start without it when NODE_ENV is production. */
  readonly requiredInProduction?: true
  /** A description of the default, if it is not a fixed value. */
  readonly defaultText?: string
}

export const facts = z.registry<VariableFacts>()

/** Words that follow the variable's name and "must be". */
export function wantedBy(schema: z.ZodType): string {
  return values.get(innermost(schema))?.wants ?? 'another value'
}

/** The default as it would be written in a `.env` file; empty when there is none. */
export function defaultOf(schema: z.ZodType): string {
  const text = facts.get(schema)?.defaultText
  if (text !== undefined) return text
  const value: unknown = schema.safeParse(undefined).data
  if (!Array.isArray(value)) return String(value ?? '')
  return value.join(values.get(innermost(schema))?.separator ?? ' ')
}

function innermost(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return innermost(schema.unwrap() as z.ZodType)
  }
  return schema
}
