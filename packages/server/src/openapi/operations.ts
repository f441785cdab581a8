/** The operations of a document: lists them, checks which can become tools, and selects some. */

import type { OpenApiDocument } from './document.ts'
import {
  entriesOf,
  follow,
  isObject,
  type JsonObject,
  listOf,
  member,
  UnusableError,
} from './references.ts'
import { nameTools } from './tool-names.ts'

export interface Operation {
  /** The HTTP method in upper case. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly id: string | undefined
  readonly tags: readonly string[]
  /** The name of the tool. */
  readonly name: string
  readonly definition: JsonObject
  /** The parameters of the path and of the operation. */
  readonly parameters: readonly unknown[]
}

export interface Selection {
  readonly only: readonly string[]
  readonly tag: string | undefined
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** Paths whose operations cannot be read, with the reason. */
export function unreadablePaths({ root }: OpenApiDocument): [path: string, reason: string][] {
  return entriesOf(root.paths).flatMap(([path, value]) => {
    const item = pathItem(root, value)
    return typeof item === 'string' ? [[path, item] as [string, string]] : []
  })
}

/** Lists the operations in the order of the document. */
export function listOperations({ root }: OpenApiDocument): Operation[] {
  const found = entriesOf(root.paths).flatMap(([path, value]) => {
    const item = pathItem(root, value)
    if (typeof item === 'string') return []
    return METHODS.flatMap((method) => {
      const definition = item[method]
      if (!isObject(definition)) return []
      const { operationId, tags } = definition
      const id = typeof operationId === 'string' && operationId !== '' ? operationId : undefined
      const texts = listOf(tags).filter((tag) => typeof tag === 'string')
      const parameters = [...listOf(item.parameters), ...listOf(definition.parameters)]
      const capitals = method.toUpperCase() as Operation['method']
      const own = servesElsewhere(item) ? { ...definition, servers: item.servers } : definition
      return [{ method: capitals, path, id, tags: texts, definition: own, parameters }]
    })
  })
  const names = nameTools(found)
  return found.map((operation, index) => ({ ...operation, name: names[index] ?? '' }))
}

/** The path item, or the reason why it cannot be resolved. */
function pathItem(root: JsonObject, value: unknown): JsonObject | string {
  try {
    return follow(root, value)
  } catch (error) {
    if (!(error instanceof UnusableError)) throw error
    return error.message
  }
}

/** Paths that a route can express and that stay below the base URL. */
const PATH = /^\/(?!\/)[\w\-.~!$&()*+,;=:@%/{}]*$/

/**
 * Checks the constraints of the whole operation.
 * @throws UnusableError
 */
export function checkOperation({ path, definition }: Operation): void {
  if (definition.deprecated === true) throw new UnusableError('it is deprecated')
  if (!PATH.test(path)) throw new UnusableError('its path has characters that no route can hold')
  if (path.split('/').some((part) => part === '.' || part === '..')) {
    throw new UnusableError('its path has dot segments')
  }
  if (servesElsewhere(definition)) throw new UnusableError('it is on a server of its own')
}

function servesElsewhere({ servers }: JsonObject): boolean {
  return listOf(servers).length > 0
}

/** The operations that match one of the patterns and have the tag. */
export function select(operations: readonly Operation[], { only, tag }: Selection): Operation[] {
  const patterns = only.map(toPattern)
  return operations.filter((operation) => {
    const { id, tags, name } = operation
    const texts = [`${operation.method} ${operation.path}`, operation.path, name, id ?? name]
    const isTagged = tag === undefined || tags.includes(tag)
    return isTagged && (patterns.length === 0 || patterns.some((one) => texts.some(one)))
  })
}

/** Glob: `*` matches anything but a slash, `**` anything. */
function toPattern(pattern: string): (text: string) => boolean {
  const source = pattern
    .split(/(\*+)/)
    .map((part) => {
      if (part === '*') return '[^/]*'
      return part.startsWith('**') ? '.*' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    })
    .join('')
  const expression = new RegExp(`^${source}$`, 'is')
  return (text) => expression.test(text)
}

/** The required scopes and sign-in from `security` (OpenAPI 3.1, section 4.8.30). */
export function securityOf({ root }: OpenApiDocument, { definition }: Operation) {
  const required = definition.security ?? root.security
  const alternatives = listOf(required).filter(isObject)
  const isOpen =
    Array.isArray(required) && alternatives.every((each) => Object.keys(each).length === 0)
  const schemes = member(root.components, 'securitySchemes')
  const used = alternatives.flatMap((each) => Object.entries(each))
  const typeOf = (name: string) => member(member(schemes, name), 'type')
  const isByKey = used.length > 0 && used.every(([name]) => typeOf(name) === 'apiKey')
  const scopes = used
    .filter(([name]) => ['oauth2', 'openIdConnect'].includes(String(typeOf(name))))
    .flatMap(([, names]) => listOf(names))
    // RFC 6749, section 3.3.
    .filter(
      (scope): scope is string =>
        typeof scope === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/.test(scope),
    )
  return { needsLogin: !isOpen && !isByKey, scopes: [...new Set(scopes)].slice(0, 10) }
}
