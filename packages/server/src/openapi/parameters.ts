/** The parameters that the upstream client can send, and the reasons for omitting the others. */

import { isUsableName, plainText } from './literals.ts'
import type { Operation } from './operations.ts'
import {
  entriesOf,
  follow,
  isObject,
  type JsonObject,
  member,
  UnusableError,
} from './references.ts'
import type { SchemaNode } from './schema-node.ts'

/** The serialization of arrays and objects: joined by a separator, as fields, or as JSON. */
export type Style = ',' | '|' | ' ' | 'deepObject' | 'fields' | 'json'

export interface Parameter {
  readonly name: string
  readonly node: SchemaNode
  readonly required: boolean
  readonly style: Style
}

export interface Parameters {
  readonly parameters: readonly Parameter[]
  /** Headers that the API requires, with an initial value. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly isIdempotent: boolean
  readonly leftOut: string[]
}

/** The maximum length of a text in a URL. */
const LONGEST_PARAMETER = 500

/**
 * Headers that the client sets, or that the specification ignores (OpenAPI 3.1, section 4.8.12.2).
 */
const OWN_HEADERS =
  /^(accept|accept-encoding|authorization|connection|content-length|content-type|cookie|host|transfer-encoding|user-agent)$/i

/**
 * Reads the parameters of the path and the operation; the operation's override the path's.
 * @throws UnusableError for a required parameter that cannot be sent
 */
export function readParameters(
  root: JsonObject,
  { path, parameters: declared }: Operation,
  read: (schema: unknown) => SchemaNode,
): Parameters {
  const inRoute = [...path.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '')
  const byPlace = new Map<string, JsonObject>()
  for (const each of declared) {
    const parameter = follow(root, each)
    byPlace.set(`${parameter.in} ${parameter.name}`, parameter)
  }
  const found: Parameter[] = []
  const headers: [string, string][] = []
  const leftOut: string[] = []
  let isIdempotent = false

  for (const name of inRoute) {
    if (!isUsableName(name))
      throw new UnusableError(`a parameter is called "${plainText(name, 60)}"`)
    const parameter = byPlace.get(`path ${name}`) ?? {}
    const node = withMinimum(nodeOfParameter(root, parameter, read))
    const style = styleOf(parameter, node)
    if (isComposite(node) && style !== ',') throw unsendable(name, 'is an object in the path')
    if (!found.some((other) => other.name === name))
      found.push({ name, node, required: true, style })
  }
  for (const parameter of byPlace.values()) {
    const { name, in: place } = parameter
    if (typeof name !== 'string' || place === 'path') continue
    const required = parameter.required === true
    const refuse = (why: string) => {
      if (required) throw unsendable(name, why)
      leftOut.push(`${place} parameter ${name}: ${why}`)
    }
    if (place === 'header') {
      if (/^idempotency-key$/i.test(name)) isIdempotent = true
      else if (OWN_HEADERS.test(name)) continue
      else if (!required) leftOut.push(`header ${name}`)
      else headers.push([headerName(name), headerValue(parameter, read(parameter.schema))])
    } else if (place !== 'query') refuse('is a cookie, which tools cannot send')
    else if (!isUsableName(name)) refuse('has a name that code cannot use')
    else if (inRoute.includes(name)) refuse('is called as one of the path')
    else if (parameter.deprecated !== true || required) {
      const sendable = toSendable(root, parameter, read)
      if (typeof sendable === 'string') refuse(sendable)
      else found.push({ name, required, ...sendable })
    }
  }
  return { parameters: found, headers, isIdempotent, leftOut }
}

function unsendable(name: string, why: string): UnusableError {
  return new UnusableError(`its parameter "${plainText(name, 60)}" ${why}`)
}

/** The node in a form that can be sent, or the reason why it cannot. */
function toSendable(
  root: JsonObject,
  parameter: JsonObject,
  read: (schema: unknown) => SchemaNode,
): Pick<Parameter, 'node' | 'style'> | string {
  if (parameter.schema === undefined && isObject(parameter.content)) {
    return { node: nodeOfParameter(root, parameter, read), style: 'json' }
  }
  const node = nodeOfParameter(root, parameter, read)
  const style = styleOf(parameter, node)
  if (node.kind === 'any') return { node: ofText(node), style }
  if (node.kind === 'array') {
    if (!isPlain(node.items)) return 'is a list of values other than strings, numbers and booleans'
    return { node: { ...node, max: Math.min(node.max ?? 100, 100) }, style }
  }
  if (node.kind === 'object') {
    const isFlat = node.fields.every((field) => isPlain(field.node))
    return isFlat && style !== ',' ? { node, style } : 'is an object that no query can hold'
  }
  return isPlain(node) ? { node, style } : 'is of a type that no query can hold'
}

function isPlain({ kind, ...node }: SchemaNode): boolean {
  if (kind === 'union') return (node as { members: readonly SchemaNode[] }).members.every(isPlain)
  return kind === 'string' || kind === 'number' || kind === 'boolean' || kind === 'enum'
}

function isComposite({ kind }: SchemaNode): boolean {
  return kind === 'object' || kind === 'map' || kind === 'union'
}

function ofText(node: SchemaNode): SchemaNode {
  const { description } = node
  return { kind: 'string', description, nullable: false, min: undefined, max: LONGEST_PARAMETER }
}

function nodeOfParameter(
  root: JsonObject,
  { schema, content, description, example }: JsonObject,
  read: (schema: unknown) => SchemaNode,
): SchemaNode {
  const [media] = entriesOf(content).map(([, value]) => follow(root, value))
  const node = read(schema ?? member(media, 'schema') ?? { type: 'string', example })
  const own = plainText(description, 200)
  const facts = { nullable: false, description: own || node.description }
  return node.kind === 'string'
    ? { ...node, ...facts, max: node.max ?? LONGEST_PARAMETER }
    : { ...node, ...facts }
}

/** Requires a non-empty text: an empty one would change the path. */
function withMinimum(node: SchemaNode): SchemaNode {
  if (node.kind === 'any') return { ...ofText(node), min: 1 } as SchemaNode
  return node.kind === 'string' ? { ...node, min: node.min ?? 1, max: node.max || undefined } : node
}

function styleOf({ style, explode, in: place }: JsonObject, node: SchemaNode): Style {
  if (place === 'path' || place === undefined) return ','
  if (style === 'deepObject') return 'deepObject'
  const isJoined = explode === false
  if (style === 'pipeDelimited' && node.kind === 'array' && isJoined) return '|'
  if (style === 'spaceDelimited' && node.kind === 'array' && isJoined) return ' '
  return isJoined ? ',' : 'fields'
}

/** RFC 9110, section 5.1. */
function headerName(name: string): string {
  if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(name)) throw unsendable(name, 'is no name of a header')
  return name
}

/** The initial value: visible ASCII from the document. */
function headerValue(parameter: JsonObject, node: SchemaNode): string {
  const example = parameter.example ?? node.example
  const value = node.kind === 'enum' ? node.values[0] : example
  const text = plainText(String(value ?? ''), 100)
  return /^[\x20-\x7E]*$/.test(text) ? text : ''
}
