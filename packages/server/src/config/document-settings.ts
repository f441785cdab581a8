/** Documents a team's settings: their section of `.env.example`, and a table in Markdown. */

import { z } from 'zod'
import { innerOf, isSecretSetting, oneOf } from './settings.ts'

interface Documented {
  readonly name: string
  readonly what: string
  /** Such as `an integer from 1 to 100`; empty if every text is accepted. */
  readonly wants: string
  /** As in a `.env` file; undefined if there is none, or it is a secret or no simple value. */
  readonly fallback: string | undefined
  readonly isRequired: boolean
  readonly isSecret: boolean
}

const LINE_WIDTH = 98
const BEGIN = '# ---- Settings of src/mcp.ts (npx mcp-template settings --write) ----'
const END = '# ---- End of the settings ----'

/** The section of `.env.example`, between two comments; undefined without settings. */
export function settingsSection(schema: z.ZodObject | undefined): string | undefined {
  const settings = documented(schema)
  if (settings.length === 0) return undefined
  return [BEGIN, ...settings.map(exampleOf), END].join('\n\n')
}

/** A table in Markdown, like the one of the framework's variables. */
export function settingsTable(schema: z.ZodObject | undefined): string {
  const head = ['Name', 'What', 'Value', 'Default', 'Secret', 'Required']
  const rows = documented(schema).map((setting) => [
    `\`${setting.name}\``,
    setting.what,
    setting.wants,
    setting.fallback === undefined ? '' : `\`${setting.fallback}\``,
    setting.isSecret ? 'yes' : '',
    setting.isRequired ? 'yes' : '',
  ])
  const cellOf = (cell: string) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cellOf(cell).replaceAll('\n', ' ')).join(' | ')} |`)
    .join('\n')
}

/**
 * The text of a `.env.example` with the section: in place of the one before, or at the end. Without
 * a `section`, the one before is removed. Other lines stay as they are.
 */
export function withSection(text: string, section: string | undefined): string {
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text.split(/\r?\n/)
  const begin = lines.indexOf(BEGIN)
  const end = lines.indexOf(END, begin)
  const isThere = begin >= 0 && end >= 0
  const before = isThere ? lines.slice(0, begin) : lines
  const after = isThere ? lines.slice(end + 1) : []
  const parts = [before.join('\n').trimEnd(), section ?? '', after.join('\n').trim()]
  const written = parts.filter((part) => part !== '').join('\n\n')
  return written === '' ? '' : `${written}\n`.replaceAll('\n', lineBreak)
}

/** Whether a `.env.example` lacks a setting, or has a section that is out of date. */
export function isOutdated(text: string, schema: z.ZodObject | undefined): boolean {
  const lines = text.split(/\r?\n/)
  if (lines.includes(BEGIN)) return withSection(text, settingsSection(schema)) !== text
  const named = new Set(lines.map((line) => /^#?\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1]))
  return Object.keys(schema?.shape ?? {}).some((name) => !named.has(name))
}

function exampleOf({ name, what, wants, fallback, isRequired, isSecret }: Documented): string {
  const remarks = [
    what,
    ...(wants === '' ? [] : [`Value: ${wants}.`]),
    ...(isRequired ? ['Required.'] : []),
    ...(isSecret ? [`Secret; ${name}_FILE can name a file with it.`] : []),
  ]
  const comment = wrap(remarks.filter((remark) => remark !== '').join(' '))
  return [...comment, `${isRequired ? '' : '# '}${name}=${fallback ?? ''}`].join('\n')
}

function wrap(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > LINE_WIDTH) lines.push(`# ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function documented(schema: z.ZodObject | undefined): readonly Documented[] {
  const settings = Object.entries(schema?.shape ?? {}) as [string, z.ZodType][]
  return settings.map(([name, setting]) => {
    const isSecret = isSecretSetting(setting)
    return {
      name,
      what: sentence(descriptionOf(setting) ?? ''),
      wants: wantedBy(setting),
      fallback: isSecret ? undefined : defaultOf(setting),
      isRequired: !accepts(setting, undefined),
      isSecret,
    }
  })
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

function descriptionOf(schema: z.ZodType): string | undefined {
  const inner = innerOf(schema)
  return schema.description ?? (inner && descriptionOf(inner))
}

/** A schema of the team's may throw. */
function accepts(schema: z.ZodType, value: unknown): boolean {
  try {
    return schema.safeParse(value).success
  } catch {
    return false
  }
}

function defaultOf(schema: z.ZodType): string | undefined {
  const { type, defaultValue } = schema.def as {
    readonly type: string
    readonly defaultValue?: unknown
  }
  if (type === 'default' || type === 'prefault') {
    const isSimple = ['string', 'number', 'boolean', 'bigint'].includes(typeof defaultValue)
    return isSimple ? quoted(String(defaultValue)) : undefined
  }
  const inner = innerOf(schema)
  return inner && defaultOf(inner)
}

/** Quotes a value that a `.env` file could not hold as it is. */
function quoted(value: string): string {
  if (/^[^\s"'`#]*$/.test(value)) return value
  const quote = ['"', "'", '`'].find((each) => !value.includes(each))
  return quote === undefined ? '' : `${quote}${value}${quote}`
}

/** What a value must be, in words. */
function wantedBy(schema: z.ZodType): string {
  const options = { io: 'output', unrepresentable: 'any' } as const
  const { type, format, ...listed } = listedAs(schema, options)
  if (Array.isArray(listed.enum)) return oneOf(listed.enum.map(String))
  if (type === 'boolean') return 'true or false'
  if (type === 'integer' || type === 'number') {
    const noun = type === 'integer' ? 'an integer' : 'a number'
    return `${noun}${range(bound(listed.minimum), bound(listed.maximum))}`
  }
  if (type !== 'string') return ''
  if (format !== undefined) return FORMATS[String(format)] ?? `a valid ${format}`
  const length = range(bound(listed.minLength), bound(listed.maxLength))
  return length === '' ? '' : `a text${length.replace(/\d$/, '$& characters')}`
}

function listedAs(
  schema: z.ZodType,
  options: z.core.ToJSONSchemaParams,
): z.core.JSONSchema.JSONSchema {
  try {
    return z.toJSONSchema(schema, options)
  } catch {
    return {}
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  uri: 'a URL',
  email: 'an email address',
  'date-time': 'a date and time, such as 2026-07-28T12:00:00Z',
  date: 'a date, such as 2026-07-28',
}

/** The limits of a number that zod writes for every integer say nothing. */
function bound(limit: number | undefined): number | undefined {
  return limit === undefined || Math.abs(limit) >= Number.MAX_SAFE_INTEGER ? undefined : limit
}

function range(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`
  if (least !== undefined) return ` of at least ${least}`
  return most === undefined ? '' : ` of at most ${most}`
}
