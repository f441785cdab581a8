/**
 * A team's own variables (`settings` of `createMcp`): validated with the framework's, with one list
 * of faults.
 */

import type { z } from 'zod'
import type { Faults } from './faults.ts'
import { belongsToFramework } from './names.ts'
import type { RawVariables } from './sources.ts'

export interface TeamSettings {
  readonly values: Readonly<Record<string, unknown>>
  /** Texts to redact: the values of secrets, and the passwords in their URLs. */
  readonly secrets: readonly string[]
}

type Issue = z.core.$ZodIssue

interface Definition {
  readonly type: string
  readonly coerce?: boolean
  /** The schema that this one wraps or reads first. */
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
}

const NAME = /^[A-Za-z_]\w*$/
/** Types that no environment variable can have, with their coerced equivalents. */
const COERCED: Readonly<Record<string, string>> = {
  number: 'z.coerce.number()',
  bigint: 'z.coerce.bigint()',
  boolean: 'z.stringbool()',
  date: 'z.coerce.date()',
}
const WORDS: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  date: 'a date',
}

/** Parses the settings; reports invalid ones, never with their value. */
export function chooseSettings(
  schema: z.ZodObject | undefined,
  raw: RawVariables,
  faults: Pick<Faults, 'add'>,
): TeamSettings {
  if (schema === undefined) return { values: {}, secrets: [] }
  const names = Object.keys(schema.shape)
  for (const name of names) checkName(name, faults)
  const given = Object.fromEntries(
    names.filter((name) => raw[name] !== undefined).map((name) => [name, raw[name]]),
  )
  const thrower = names.find((name) => throws(schema.shape[name], given[name]))
  if (thrower !== undefined) {
    faults.add(thrower, 'could not be checked: its schema in src/mcp.ts threw, or is asynchronous')
    return { values: {}, secrets: [] }
  }
  const result = schema.safeParse(given)
  for (const { path, ...issue } of result.error?.issues ?? []) {
    const [name = 'settings'] = path.map(String)
    faults.add(name, messageOf(issue as Issue, given[name], schema.shape[name]))
  }
  const values = result.data ?? {}
  const secrets = secretSettings(schema)
  return {
    values: Object.freeze(values),
    secrets: secrets.flatMap((name) => secretTexts(given[name], values[name])),
  }
}

/** What a team's schema throws may hold the value. */
function throws(schema: z.ZodType | undefined, value: unknown): boolean {
  try {
    schema?.safeParse(value)
    return false
  } catch {
    return true
  }
}

/** The names of the settings that are secrets. */
export function secretSettings(schema: z.ZodObject | undefined): readonly string[] {
  const settings = Object.entries(schema?.shape ?? {}) as [string, z.ZodType][]
  return settings.filter(([, setting]) => isSecretSetting(setting)).map(([name]) => name)
}

/** Whether a setting, or the schema that it wraps, has `.meta({ secret: true })`. */
export function isSecretSetting(schema: z.ZodType): boolean {
  if (schema.meta()?.secret === true) return true
  const inner = innerOf(schema)
  return inner !== undefined && isSecretSetting(inner)
}

/** The schema that a schema wraps, or reads first. */
export function innerOf(schema: z.ZodType): z.ZodType | undefined {
  const { innerType, in: input } = schema.def as unknown as Definition
  return innerType ?? input
}

/** The coerced equivalent of a schema that no text can satisfy; undefined if texts can. */
function betterDeclared(schema: z.ZodType): string | undefined {
  const inner = innerOf(schema)
  if (inner !== undefined) return betterDeclared(inner)
  const { type, coerce } = schema.def as unknown as Definition
  return coerce === true ? undefined : COERCED[type]
}

function checkName(name: string, faults: Pick<Faults, 'add'>): void {
  if (belongsToFramework(name)) {
    faults.add(name, 'is a variable of the framework; give the setting another name')
  } else if (!NAME.test(name)) {
    faults.add(name, 'must be a name of letters, digits and "_" to be a variable')
  }
}

function messageOf(issue: Issue, given: string | undefined, schema: z.ZodType | undefined): string {
  if (issue.code === 'custom') return issue.message
  if (given === undefined) return 'is required'
  if (issue.code === 'invalid_type') {
    const better = schema && betterDeclared(schema)
    if (better !== undefined) return `must be declared with ${better}: variables are texts`
    return `must be ${WORDS[issue.expected] ?? `of the type ${issue.expected}`}`
  }
  if (issue.code === 'invalid_value') return `must be ${oneOf(issue.values.map(String))}`
  if (issue.code === 'invalid_format') return `must be a valid ${issue.format}`
  if (issue.code === 'too_small') return `must be ${bound('at least', issue.minimum, issue.origin)}`
  if (issue.code === 'too_big') return `must be ${bound('at most', issue.maximum, issue.origin)}`
  return 'must have another value'
}

function bound(words: string, limit: number | bigint, origin: string): string {
  return `${words} ${limit}${origin === 'string' ? ' characters long' : ''}`
}

/** `eu, us or uk`. */
export function oneOf(values: readonly string[]): string {
  const last = values.at(-1) ?? ''
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`
}

function secretTexts(given: string | undefined, value: unknown): readonly string[] {
  const texts = [given, typeof value === 'string' ? value : undefined]
  const known = texts.filter((text) => text !== undefined)
  return [...new Set([...known, ...known.flatMap(passwordIn)])]
}

function passwordIn(text: string): readonly string[] {
  const password = URL.canParse(text) ? new URL(text).password : ''
  if (password === '') return []
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
