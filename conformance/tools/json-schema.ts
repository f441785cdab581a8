/** `json_schema_2020_12_tool`: an input with keywords that zod cannot express. */

import { defineContentTool, jsonSchema } from '../../packages/server/src/engine/index.ts'

const address = {
  $anchor: 'addressDef',
  type: 'object',
  properties: { street: { type: 'string' }, city: { type: 'string' } },
} as const

export default defineContentTool({
  name: 'json_schema_2020_12_tool',
  description: 'Takes a person and a way to reach them.',
  input: jsonSchema({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema has such a keyword
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  }),
  async run({ input }) {
    return [{ type: 'text', text: JSON.stringify(input) }]
  },
})
