/** Tools with an input in JSON Schema. */

import { describe, expect, it } from 'vitest'
import { compileTool } from '../../src/engine/compile-tool.ts'
import { defineContentTool, jsonSchema } from '../../src/engine/index.ts'
import { callTool } from '../support/tools.ts'

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { city: { $anchor: 'city', type: 'string', minLength: 1 } },
  properties: { city: { $ref: '#/$defs/city' }, phone: { type: 'string' } },
  allOf: [{ anyOf: [{ required: ['city'] }, { required: ['phone'] }] }],
  additionalProperties: false,
} as const

const tool = defineContentTool({
  name: 'raw',
  description: 'Says what it was given.',
  input: jsonSchema(SCHEMA),
  requires: { session: true },
  run: async ({ input }) => [{ type: 'text', text: JSON.stringify(input) }],
})

describe('a tool with an input in JSON Schema', () => {
  it('is listed with every keyword', () => {
    expect(compileTool(tool).inputSchema).toEqual(SCHEMA)
  })

  it('uses a session as any other tool does', () => {
    const { properties } = compileTool(tool).anonymousInputSchema
    expect(properties).toMatchObject({ ...SCHEMA.properties, session: { type: 'string' } })
  })

  it('is called with valid arguments', async () => {
    const { isError, text } = await callTool(tool, { city: 'Bern' })
    expect([isError, text]).toEqual([false, '{"city":"Bern"}'])
  })

  it.each([{}, { city: '' }, { city: 1 }, { city: 'Bern', more: true }])(
    'refuses %j',
    async (input) => {
      expect(await callTool(tool, input)).toMatchObject({ code: 'invalid_arguments' })
    },
  )

  it('may not declare the session itself', () => {
    const input = jsonSchema({ type: 'object', properties: { session: { type: 'string' } } })
    expect(() => compileTool({ ...tool, input })).toThrow('must not declare "session"')
  })

  it('is refused if the schema is invalid', () => {
    expect(() => jsonSchema({ type: 'object', properties: { a: { $ref: '#/nowhere' } } })).toThrow()
  })
})
