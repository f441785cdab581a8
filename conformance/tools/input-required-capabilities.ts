/** `test_input_required_result_capabilities`: asks only for what the client can do. */

import { z } from 'zod'
import { defineContentTool, form, sample } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_capabilities',
  description: 'Asks for what the client can do.',
  input: z.object({}),
  async run({ ask, client }) {
    const answers = await ask({
      ...(client.can.fillForms && {
        user_name: form('What is your name?', z.object({ name: z.string() })),
      }),
      ...(client.can.sample && {
        greeting: sample({
          messages: [{ role: 'user', content: { type: 'text', text: 'Generate a greeting' } }],
          maxTokens: 50,
        }),
      }),
    })
    return [{ type: 'text', text: JSON.stringify(answers) }]
  },
})
