/** Plans the output of a tool: an object, derived from the API's response. */

import { answerContent, answerHeaders, type Content } from './bodies.ts'
import type { OpenApiDocument } from './document.ts'
import { literal } from './literals.ts'
import type { Operation } from './operations.ts'
import { readSchema } from './read-schema.ts'
import { follow } from './references.ts'
import type { Field, ObjectNode, SchemaNode } from './schema-node.ts'

export interface AnswerPlan {
  readonly output: ObjectNode
  /** The field that wraps the API's response; undefined if the response itself is the output. */
  readonly wrappedIn: string | undefined
  /** Whether the API's response has no content to return. */
  readonly isEmpty: boolean
  /** How the response is read; `bytes` makes a tool that answers with content. */
  readonly as: 'json' | 'text' | 'bytes'
  readonly type: string
  /** Output fields that come from response headers, with their expressions. */
  readonly extras: readonly (readonly [name: string, expression: string])[]
}

/** Response headers that are useful for a model, with their output fields. */
const HEADERS: Readonly<Record<string, string>> = {
  etag: 'etag',
  location: 'location',
  'x-total-count': 'totalCount',
  'x-total': 'total',
  'x-total-pages': 'totalPages',
}
const PAGE = /^(page|page_?number|cursor|page_?token|after|starting_after|offset|since)$/i

/**
 * Plans the response of an operation.
 * @throws UnusableError for a response that cannot be read
 */
export function planAnswer(
  document: OpenApiDocument,
  operation: Operation,
  depth: number,
): AnswerPlan {
  const content = answerContent(document.root, operation.definition.responses)
  const { as, type } = { as: readAs(content?.kind), type: content?.type ?? '' }
  if (as === 'bytes') {
    return { output: objectOf([], []), wrappedIn: undefined, isEmpty: false, as, type, extras: [] }
  }
  const plan = as === 'text' ? textAnswer() : jsonAnswer(document, content, depth)
  const extras = extrasOf(document, operation, plan.output)
  const fields = extras.map(([name]) => ({ name, node: TEXT, required: false }))
  const output = { ...plan.output, fields: [...plan.output.fields, ...fields] }
  return { ...plan, output, as, type, extras }
}

type BodyPlan = Pick<AnswerPlan, 'output' | 'wrappedIn' | 'isEmpty'>

const TEXT: SchemaNode = {
  ...{ kind: 'string', description: '', nullable: false, min: undefined, max: undefined },
}

function readAs(kind: Content['kind'] | undefined): AnswerPlan['as'] {
  return kind === 'text' || kind === 'bytes' ? kind : 'json'
}

function textAnswer(): BodyPlan {
  const output = objectOf([{ name: 'text', node: TEXT, required: true }], [])
  return { output, wrappedIn: 'text', isEmpty: false }
}

/** The fields from headers, unless the body has a field of the same name. */
function extrasOf(
  { root }: OpenApiDocument,
  { definition, parameters }: Operation,
  { fields }: ObjectNode,
): AnswerPlan['extras'] {
  const headers = answerHeaders(root, definition.responses)
  const found = headers.flatMap((header): [string, string][] => {
    const name = Object.hasOwn(HEADERS, header) ? HEADERS[header] : undefined
    return name === undefined ? [] : [[name, `headers[${literal(header)}]`]]
  })
  const page = parameters
    .map((each) => follow(root, each))
    .find(({ name, in: place }) => place === 'query' && PAGE.test(String(name)))
  if (headers.includes('link') && page !== undefined) {
    const parameter = literal(String(page.name))
    found.push([
      'next',
      `links.next && (new URL(links.next).searchParams.get(${parameter}) ?? undefined)`,
    ])
  }
  return found.filter(([name]) => !fields.some((field) => field.name === name))
}

function jsonAnswer(
  { root }: OpenApiDocument,
  content: Content | undefined,
  depth: number,
): BodyPlan {
  const node =
    content?.schema === undefined
      ? undefined
      : readSchema(root, content.schema, { direction: 'output', depth })
  if (node === undefined) return done([])
  if (node.kind === 'any') return done([`the answer: ${node.why}`])
  if (node.kind === 'object' && !node.nullable) {
    if (node.fields.length === 0) return done(node.leftOut)
    return { output: node, wrappedIn: undefined, isEmpty: false }
  }
  const wrappedIn = node.kind === 'array' ? 'items' : 'value'
  return {
    output: objectOf([{ name: wrappedIn, node, required: true }], []),
    wrappedIn,
    isEmpty: false,
  }
}

function done(leftOut: readonly string[]): BodyPlan {
  const node: SchemaNode = { kind: 'boolean', description: '', nullable: false, example: true }
  const output = objectOf([{ name: 'done', node, required: true }], leftOut)
  return { output, wrappedIn: undefined, isEmpty: true }
}

function objectOf(fields: readonly Field[], leftOut: readonly string[]): ObjectNode {
  return { kind: 'object', description: '', nullable: false, fields, leftOut }
}
