/**
 * Checks the fields of a declaration: the compiler does, but the server may start without it, and a
 * misspelled `visible` or `requires` would protect nothing.
 */

import { isSpecType } from '@modelcontextprotocol/server'
import type { HookDefinition } from './define-hook.ts'
import type { AnyPrompt } from './define-prompt.ts'
import type { AnyResource } from './define-resource.ts'
import type { RouteDefinition } from './define-route.ts'
import type { AnyTool, ToolRequirements } from './define-tool.ts'

/** What a value must be; undefined for fields that are checked elsewhere. */
type Form = { readonly words: string; fits(value: unknown): boolean } | undefined
type Forms<T> = Readonly<Record<keyof Required<T>, Form>>

const text: Form = { words: 'a text', fits: (value) => typeof value === 'string' }
const code: Form = { words: 'a function', fits: (value) => typeof value === 'function' }
const seconds: Form = { words: 'a number', fits: (value) => typeof value === 'number' }
const object: Form = { words: 'an object', fits: isObject }
/** Clients refuse a whole list for one field that is not of the protocol. */
const icons: Form = {
  words: 'a list of icons: { src, mimeType, sizes, theme }, with lists of sizes',
  fits: (value) => Array.isArray(value) && value.every(isSpecType.Icon),
}
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']
const hints: Form = {
  words: `an object of ${HINTS.join(', ')}, which are true or false, and a title`,
  fits: (value) => isOnly(value, ['title', ...HINTS]) && isSpecType.ToolAnnotations(value),
}
const annotations: Form = {
  words: "an object of audience (of 'user', 'assistant'), priority (0 to 1) and lastModified",
  fits: (value) =>
    isOnly(value, ['audience', 'priority', 'lastModified']) && isSpecType.Annotations(value),
}
const bytes: Form = {
  words: 'a number of bytes',
  fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
}
const cache: Form = {
  words: "{ ttlMs, cacheScope }: milliseconds from 0, and 'public' or 'private'",
  fits(value) {
    if (!isObject(value)) return false
    const { ttlMs = 0, cacheScope = 'private', ...others } = value
    const isTime = Number.isSafeInteger(ttlMs) && Number(ttlMs) >= 0
    const isScope = cacheScope === 'public' || cacheScope === 'private'
    return isTime && isScope && Object.keys(others).length === 0
  },
}
const completers: Form = {
  words: 'an object of functions, by name',
  fits: (value) =>
    isObject(value) &&
    Object.values(value).every((each) => each === undefined || typeof each === 'function'),
}

const shared = {
  ...{ name: undefined, title: text, icons, meta: undefined, visible: code },
  ...{ timeoutSeconds: seconds, rateLimit: object },
  requires: { words: 'an object', fits: isObject },
}

const FIELDS = {
  tool: {
    ...shared,
    ...{ description: undefined, input: undefined, output: undefined, annotations: hints },
    run: undefined,
  } satisfies Forms<AnyTool>,
  resource: {
    ...shared,
    ...{ description: text, mimeType: text, annotations, size: bytes, uri: undefined },
    ...{ output: undefined, cache, complete: completers, read: undefined },
  } satisfies Forms<AnyResource>,
  prompt: {
    ...shared,
    ...{ description: undefined, arguments: undefined, complete: completers, render: undefined },
  } satisfies Forms<AnyPrompt>,
  hook: { name: text, before: code, after: code } satisfies Forms<HookDefinition>,
  route: {
    ...{ for: undefined, method: undefined, path: undefined, limits: object },
    ...{ bodyLimitBytes: undefined, timeoutSeconds: seconds, handle: undefined },
  } satisfies Forms<RouteDefinition>,
}

export type DeclaredKind = keyof typeof FIELDS

/** By which field one kind is taken for another, and where that belongs. */
const PLACES: Readonly<Record<string, readonly [kind: DeclaredKind, place: string]>> = {
  run: ['tool', 'src/tools/'],
  read: ['resource', 'src/resources/'],
  render: ['prompt', 'src/prompts/'],
  handle: ['route', '`routes` of defineServer'],
  before: ['hook', '`hooks` of defineServer'],
  after: ['hook', '`hooks` of defineServer'],
}

/** The first unknown field, or one with a value of another type; undefined if there is none. */
export function fieldFault(kind: DeclaredKind, declaration: object): string | undefined {
  const fields: Readonly<Record<string, Form>> = FIELDS[kind]
  for (const name of Object.keys(declaration)) {
    const [other, place] = PLACES[name] ?? []
    if (other !== undefined && other !== kind && !Object.hasOwn(fields, name)) {
      return `it is a ${other}, not a ${kind}: it belongs into ${place}`
    }
  }
  for (const [name, value] of Object.entries(declaration)) {
    if (value === undefined) continue
    if (!Object.hasOwn(fields, name)) return unknownField(name, kind, Object.keys(fields))
    const form = fields[name]
    if (form !== undefined && !form.fits(value)) return `${name} must be ${form.words}`
  }
  return 'requires' in fields
    ? requirementsFault((declaration as { readonly requires?: object }).requires ?? {})
    : undefined
}

const REQUIREMENTS: Readonly<Record<keyof Required<ToolRequirements>, true>> = {
  ...{ login: true, session: true, scopes: true },
}

function requirementsFault(requires: ToolRequirements): string | undefined {
  const unknown = Object.keys(requires).find((name) => !Object.hasOwn(REQUIREMENTS, name))
  if (unknown !== undefined) {
    return unknownField(`requires.${unknown}`, 'declaration', Object.keys(REQUIREMENTS))
  }
  const { scopes, session } = requires
  // A scope-token (RFC 6749, section 3.3).
  const isScope = (scope: unknown) => typeof scope === 'string' && /^[!#-[\]-~]+$/.test(scope)
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.every(isScope))) {
    return "requires.scopes must be a list of scopes, such as ['orders:read']"
  }
  return session === undefined || typeof session === 'boolean'
    ? undefined
    : 'requires.session must be true or false'
}

function unknownField(name: string, kind: string, known: readonly string[]): string {
  return `${name} is not a field of a ${kind}; there are ${known.join(', ')}`
}

function isOnly(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && Object.keys(value).every((name) => names.includes(name))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
