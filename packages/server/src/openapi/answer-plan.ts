/** What a tool answers: an object, made of whatever the API sends. */

import { answerContent, answerHeaders, type Content } from './bodies.ts'
import type { OpenApiDocument } from './document.ts'
import { literal } from './literals.ts'
import type { Operation } from './operations.ts'
import { readSchema } from './read-schema.ts'
import { follow } from './references.ts'
import type { Field, ObjectNode, SchemaNode } from './schema-node.ts'

export interface AnswerPlan {
  readonly output: ObjectNode
  /** The field that holds the API's answer; undefined for an answer that is the output itself. */
  readonly wrappedIn: string | undefined
  /** The API sends nothing that could be said. */
  readonly isEmpty: boolean
  /** How it is read; bytes make a tool that answers with content. */
  readonly as: 'json' | 'text' | 'bytes'
  readonly type: string
  /** Fields of the output that come from the headers, with the expressions for them. */
  readonly extras: readonly (readonly [name: string, expression: string])[]
}

/** Headers that tell what a model can use, and the fields for them. */
const HEADERS: Readonly<Record<string, string>> = {
  etag: 'etag',
  location: 'location',
  'x-total-count': 'totalCount',
  'x-total': 'total',
  'x-total-pages': 'totalPages',
}
const PAGE = /^(page|page_?number|cursor|page_?token|after|starting_after|offset|since)$/i

/**
 * Plans the answer of an operation.
 * @throws UnusableError for one that cannot be read
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

/** What the headers say, unless the body has a field of that name. */
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
