/** What a tool takes, and where in the request each of it goes. */

import { requestContent } from './bodies.ts'
import type { OpenApiDocument } from './document.ts'
import { isUsableName, literal } from './literals.ts'
import type { Operation } from './operations.ts'
import { isPageSize, pageSizeNode } from './pagination.ts'
import { type Parameter, readParameters } from './parameters.ts'
import { readSchema } from './read-schema.ts'
import { UnusableError } from './references.ts'
import type { Field, SchemaNode } from './schema-node.ts'
import { argumentName } from './tool-names.ts'

/** A name of the API, and the expression for its value. */
export type Assignment = readonly [name: string, expression: string]

export interface RequestPlan {
  /** By the names that the model uses. */
  readonly input: readonly Field[]
  readonly params: readonly Assignment[]
  readonly headers: readonly Assignment[]
  /** Takes `Idempotency-Key`, so that a write can be sent again. */
  readonly isIdempotent: boolean
  /** An expression for all of it, or one for each field; undefined for none. */
  readonly body: string | readonly Assignment[] | undefined
  readonly leftOut: readonly string[]
}

/**
 * Plans the request of an operation.
 * @throws UnusableError for one that the upstream client cannot send
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

/** Its fields are arguments of their own, unless one is called as a parameter is. */
function planBody(
  root: OpenApiDocument['root'],
  { method, definition }: Operation,
  read: (schema: unknown) => SchemaNode,
  { taken, take, leftOut }: Taking,
): RequestPlan['body'] {
  const content = requestContent(root, definition.requestBody)
  if (content === undefined) return undefined
  if (method === 'GET') throw new UnusableError('it has a body with GET')
  const node = read(content.schema)
  // Documents seldom say that a body is required, and it nearly always is.
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

/** Serialization of one parameter (OpenAPI 3.1, section 4.8.12.2), as far as plain values can say it. */
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
  if (node.kind === 'array') return [[name, `${value}${isMissing}.join('${style}')`]]
  return [[name, `${value}${suffixFor(node)}`]]
}

function suffixFor(node: SchemaNode): string {
  return node.nullable ? ' ?? undefined' : ''
}
