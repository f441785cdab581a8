/** `test_elicitation_sep1034_defaults`: a form with a default for each kind of field. */

import { z } from 'zod'
import { defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_elicitation_sep1034_defaults',
  description: 'Asks with a form that is filled in already.',
  input: z.object({}),
  async run({ ask }) {
    const fields = z.object({
      name: z.string().default('John Doe'),
      age: z.int().default(30),
      score: z.number().default(95.5),
      status: z.enum(['active', 'inactive', 'pending']).default('active'),
      verified: z.boolean().default(true),
    })
    const { answer } = await ask({ answer: form('Check what is filled in', fields) })
    return [{ type: 'text', text: `Elicitation completed: ${JSON.stringify(answer)}` }]
  },
})
