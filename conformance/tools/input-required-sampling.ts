/** `test_input_required_result_sampling`: asks the model of the client for a capital. */

import { z } from 'zod'
import { defineContentTool, sample } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_input_required_result_sampling',
  description: 'Asks the model of the client for a capital.',
  input: z.object({}),
  async run({ ask }) {
    const { capital_question: answer } = await ask({
      capital_question: sample({
        messages: [
          { role: 'user', content: { type: 'text', text: 'What is the capital of France?' } },
        ],
        maxTokens: 100,
      }),
    })
    return [{ type: 'text', text: JSON.stringify(answer.content) }]
  },
})
