/** `test_missing_capability`: requests sampling, whether the client supports it or not. */

import { z } from 'zod'
import { defineContentTool, sample } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_missing_capability',
  description: 'Requests sampling, whether the client supports it or not.',
  input: z.object({}),
  async run({ ask }) {
    const { greeting } = await ask({
      greeting: sample({
        messages: [{ role: 'user', content: { type: 'text', text: 'Generate a greeting' } }],
        maxTokens: 50,
      }),
    })
    return [{ type: 'text', text: JSON.stringify(greeting.content) }]
  },
})
