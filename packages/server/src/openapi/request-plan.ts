/** Plans the input of a tool, and where each field goes in the request. */

import { requestContent } from './bodies.ts'
import type { OpenApiDocument } from './document.ts'
import { isUsableName, literal, plainText } from './literals.ts'
import type { Operation } from './operations.ts'
import { isPageSize, pageSizeNode } from './pagination.ts'
import { type Parameter, readParameters } from './parameters.ts'
import { readSchema } from './read-schema.ts'
import {
  entriesOf,
  follow,
  isObject,
  type JsonObject,
  listOf,
  UnusableError,
} from './references.ts'
import type { Field, SchemaNode } from './schema-node.ts'
import { argumentName } from './tool-names.ts'

/** A parameter name of the API, with the expression for its value. */
export type Assignment = readonly [name: string, expression: string]

export interface RequestPlan {
  /** The fields, under the names for the model. */
  readonly input: readonly Field[]
  readonly params: readonly Assignment[]
  readonly headers: readonly Assignment[]
  /** Whether the operation accepts `Idempotency-Key`, which makes a write safe to retry. */
  readonly isIdempotent: boolean
  /** One expression for the whole body, or one per field; undefined for none. */
  readonly body: string | readonly Assignment[] | EncodedBody | undefined
  readonly leftOut: readonly string[]
}

/** A body other than JSON. */
export type EncodedBody =
  | { readonly kind: 'bytes'; readonly expression: string; readonly type: string }
  | { readonly kind: 'form' | 'multipart'; readonly parts: readonly Part[] }

/** A field of a form. */
export interface Part {
  readonly name: string
  readonly expression: string
  readonly required: boolean
  readonly isList: boolean
  readonly holds: 'text' | 'json' | 'file'
}

/**
 * Plans the request of an operation.
 * @throws UnusableError for a request that the upstream client cannot send
 */
export function planRequest(
  { root }: OpenApiDocument,
  operation: Operation,
  depth: number,
): RequestPlan {
  const read = (schema: unknown) => readSchema(root, schema, { direction: 'input', depth })
  const { parameters, headers, isIdempotent, leftOut } = readParameters(root, operation, read)
  const input: Field[] = []
  const taken = new Set<string>()
  const take = (name: string, node: SchemaNode, required: boolean) => {
    const argument = argumentName(name, taken)
    taken.add(argument)
    input.push({ name: argument, node, required })
    return argument
  }

  const params = parameters.flatMap((parameter): Assignment[] => {
    const { name, required } = parameter
    const paged = isPageSize(name) ? pageSizeNode(parameter.node) : undefined
    const argument = take(name, paged ?? parameter.node, required || paged !== undefined)
    return assign(parameter, `input.${argument}`)
  })
  const body = planBody(root, operation, read, { taken, take, leftOut })
  const names = params.map(([name]) => name)
  if (new Set(names).size < names.length) {
    throw new UnusableError('two of its parameters would have one name in the query')
  }
  return { input, params, headers, isIdempotent, body, leftOut }
}

interface Taking {
  readonly taken: ReadonlySet<string>
  take(name: string, node: SchemaNode, required: boolean): string
  readonly leftOut: string[]
}

/** The fields of the body become separate arguments, unless one has the name of a parameter. */
function planBody(
  root: OpenApiDocument['root'],
  { method, definition }: Operation,
  read: (schema: unknown) => SchemaNode,
  { taken, take, leftOut }: Taking,
): RequestPlan['body'] {
  const content = requestContent(root, definition.requestBody)
  if (content === undefined) return undefined
  if (method === 'GET') throw new UnusableError('it has a body with GET')
  if (content.kind === 'bytes') {
    const argument = take('body', fileNode('the body'), true)
    return { kind: 'bytes', expression: `input.${argument}`, type: content.type }
  }
  if (content.kind === 'form' || content.kind === 'multipart') {
    const parts = formParts(root, content.schema, read, take)
    return { kind: content.kind, parts }
  }
  const node = read(content.schema)
  // Documents seldom declare a body as required, although it nearly always is.
  const required = content.required || method !== 'DELETE'
  const isFlat =
    node.kind === 'object' &&
    !node.nullable &&
    required &&
    node.fields.length > 0 &&
    node.fields.every(({ name }) => !taken.has(argumentName(name, new Set())) && isUsableName(name))
  if (!isFlat) return `input.${take('body', node, required)}`
  leftOut.push(...node.leftOut.map((line) => `body field ${line}`))
  return node.fields.map(({ name, node: field, required }) => [
    name,
    `input.${take(name, field, required)}`,
  ])
}

/** The fields of a form as arguments; files become Base64 texts. */
function formParts(
  root: OpenApiDocument['root'],
  schema: unknown,
  read: (schema: unknown) => SchemaNode,
  take: Taking['take'],
): Part[] {
  const { properties, required } = follow(root, schema)
  const needed = listOf(required)
  return entriesOf(properties).map(([name, property]): Part => {
    const found = follow(root, property)
    const items = found.type === 'array' && isObject(found.items) ? follow(root, found.items) : {}
    const isFile = isBinary(found)
    const isList = found.type === 'array'
    const node = isFile || isBinary(items) ? fileNode(name) : read(property)
    const listed = isBinary(items) ? { ...LIST, items: node } : node
    const isRequired = needed.includes(name)
    const expression = `input.${take(name, listed, isRequired)}`
    const inner = node.kind === 'array' ? node.items.kind : node.kind
    const isText = ['string', 'number', 'boolean', 'enum'].includes(inner)
    const holds = isFile || isBinary(items) ? 'file' : isText ? 'text' : 'json'
    return { name, expression, required: isRequired, isList: isList && holds !== 'json', holds }
  })
}

/** OpenAPI 3.0, 4.7.14.2, and 3.1, 4.8.14.2. */
function isBinary({ format, contentMediaType, contentEncoding }: JsonObject): boolean {
  return format === 'binary' || (contentMediaType !== undefined && contentEncoding === undefined)
}

/** In characters of Base64, for 700 kB. */
const LONGEST_FILE = 950_000
const LIST = { kind: 'array', description: '', nullable: false, min: undefined, max: 10 } as const

function fileNode(name: string): SchemaNode {
  const description = `The bytes of ${plainText(name, 60)}, in Base64.`
  return {
    kind: 'string',
    description,
    nullable: false,
    min: 1,
    max: LONGEST_FILE,
    example: 'dGV4dA==',
  }
}

/** Serializes one parameter (OpenAPI 3.1, section 4.8.12.2), as far as plain values permit. */
function assign({ name, node, required, style }: Parameter, value: string): Assignment[] {
  const isMissing = required ? '' : '?'
  if (node.kind === 'object' && (style === 'deepObject' || style === 'fields')) {
    return node.fields.map((field): Assignment => {
      const key = style === 'deepObject' ? `${name}[${field.name}]` : field.name
      const access = /^[A-Za-z_$][\w$]*$/.test(field.name)
        ? `${isMissing}.${field.name}`
        : `${isMissing && '?.'}[${literal(field.name)}]`
      return [key, `${value}${access}${suffixFor(field.node)}`]
    })
  }
  if (style === 'json') {
    const json = `JSON.stringify(${value})`
    return [[name, required ? json : `${value} === undefined ? undefined : ${json}`]]
  }
  // `tags=a&tags=b`.
  if (node.kind === 'array' && style === 'fields') return [[name, `${value}${suffixFor(node)}`]]
  if (node.kind === 'array') return [[name, `${value}${isMissing}.join('${style}')`]]
  return [[name, `${value}${suffixFor(node)}`]]
}

function suffixFor(node: SchemaNode): string {
  return node.nullable ? ' ?? undefined' : ''
}
