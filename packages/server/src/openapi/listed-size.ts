/** Estimates how much of a model's context a tool takes in `tools/list`. */

import type { Direction, SchemaNode } from './schema-node.ts'
import type { ToolPlan } from './tool-plan.ts'

/** In bytes of JSON. */
export function listedSize({ name, title, description, input, answer }: ToolPlan): number {
  const listed = {
    name,
    title,
    description,
    inputSchema: toJson(input, 'input'),
    outputSchema: toJson(answer.output, 'output'),
  }
  return Buffer.byteLength(JSON.stringify(listed))
}

function toJson(node: SchemaNode, direction: Direction): unknown {
  const plain = typeToJson(node, direction)
  const isDescribed = direction === 'input' && node.description !== ''
  const described = isDescribed ? { ...plain, description: node.description } : plain
  return node.nullable && node.kind !== 'null'
    ? { anyOf: [described, { type: 'null' }] }
    : described
}

function typeToJson(node: SchemaNode, direction: Direction): object {
  switch (node.kind) {
    case 'enum':
      return { type: 'string', enum: node.values }
    case 'array':
      return { type: 'array', items: toJson(node.items, direction) }
    case 'map':
      return { type: 'object', additionalProperties: toJson(node.values, direction) }
    case 'union':
      return { anyOf: node.members.map((member) => toJson(member, direction)) }
    case 'object': {
      const properties = node.fields.map((field) => [field.name, toJson(field.node, direction)])
      const required = node.fields.filter((field) => field.required).map(({ name }) => name)
      return { type: 'object', properties: Object.fromEntries(properties), required }
    }
    case 'string':
      return direction === 'input' ? { type: 'string', maxLength: node.max } : { type: 'string' }
    default:
      return { type: node.kind }
  }
}
