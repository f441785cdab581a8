/** What a tool answers: an object, made of whatever the API sends. */

import { answerContent } from './bodies.ts'
import type { OpenApiDocument } from './document.ts'
import type { Operation } from './operations.ts'
import { readSchema } from './read-schema.ts'
import type { Field, ObjectNode, SchemaNode } from './schema-node.ts'

export interface AnswerPlan {
  readonly output: ObjectNode
  /** The field that holds the API's answer; undefined for an answer that is the output itself. */
  readonly wrappedIn: string | undefined
  /** The API sends nothing that could be said. */
  readonly isEmpty: boolean
}

/**
 * Plans the answer of an operation.
 * @throws UnusableError for one that is not JSON
 */
export function planAnswer(
  { root }: OpenApiDocument,
  { definition }: Operation,
  depth: number,
): AnswerPlan {
  const content = answerContent(root, definition.responses)
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

function done(leftOut: readonly string[]): AnswerPlan {
  const node: SchemaNode = { kind: 'boolean', description: '', nullable: false, example: true }
  const output = objectOf([{ name: 'done', node, required: true }], leftOut)
  return { output, wrappedIn: undefined, isEmpty: true }
}

function objectOf(fields: readonly Field[], leftOut: readonly string[]): ObjectNode {
  return { kind: 'object', description: '', nullable: false, fields, leftOut }
}
