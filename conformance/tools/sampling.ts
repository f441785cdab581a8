/** `test_sampling`: asks the model of the client. */

import { z } from 'zod'
import { defineContentTool, sample } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_sampling',
  description: 'Asks the model of the client.',
  input: z.object({ prompt: z.string() }),
  async run({ input, ask }) {
    const content = { type: 'text', text: input.prompt } as const
    const question = sample({ messages: [{ role: 'user', content }], maxTokens: 100 })
    const { response } = await ask({ response: question })
    return [{ type: 'text', text: `LLM response: ${JSON.stringify(response.content)}` }]
  },
})
